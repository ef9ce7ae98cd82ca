"""Per engine: which numbers may be zero, and that its own values are within what it declares."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bakeoff.errors import UsageError
from bakeoff.plugins import Plugins
from bakeoff.settings import ConfigClass, Setting, resolve

#: Where zero means something; every other number that is zero stops an engine, or blames it for nothing.
ZERO = {
    "celery.publish_max_retries",
    "celery.worker_prefetch_multiplier",
    "celery-sagalog.publish_max_retries",
    "celery-sagalog.worker_prefetch_multiplier",
    "choreography.max_ack_pending",
    "choreography.max_age_s",
    "dramatiq.connection_retries",
    "dramatiq.queue_prefetch",
    "temporal.activity_pollers",
    "temporal.graceful_shutdown_s",
    "temporal.heartbeat_timeout_s",
    "temporal.workflow_pollers",
}


def _numbers() -> Iterator[tuple[str, Setting]]:
    for engine in ("celery", "celery-sagalog", "choreography", "dramatiq", "inline", "temporal"):
        for setting in Plugins().engine(engine).info().settings:
            if isinstance(setting.default, int | float) and not isinstance(setting.default, bool):
                yield engine, setting


def _set(engine: str, setting: Setting, text: str) -> object:
    declared = Plugins().engine(engine).info().settings
    # What must be set at all, an address say, is no number's condition here.
    own = {one.name: one for one in declared}
    others = {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in setting.only.items()
        if not isinstance(value, bool) or isinstance(own[name].default, bool)
    }
    return resolve(engine, declared, ConfigClass.CI, {**others, setting.name: text})[setting.name]


@pytest.mark.parametrize(
    ("engine", "setting"), [pytest.param(e, s, id=f"{e}.{s.name}") for e, s in _numbers()]
)
def test_zero_is_taken_only_where_it_means_something(engine: str, setting: Setting) -> None:
    if f"{engine}.{setting.name}" in ZERO:
        assert _set(engine, setting, "0") == 0
    else:
        with pytest.raises(UsageError, match=r"positive|less than"):
            _set(engine, setting, "0")
    for text in ("nan", "inf"):
        with pytest.raises(UsageError, match=r"finite|whole number"):
            _set(engine, setting, text)
    for value in (setting.default, setting.recommended, setting.ci):
        assert _set(engine, setting, str(value)) == value
