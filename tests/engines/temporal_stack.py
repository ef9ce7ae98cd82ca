"""One running Temporal for the tests of its adapter, with the sagas of the contract and of its replay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bakeoff.contract.lab import Lab
from bakeoff.contract.stack_thread import StackThread
from bakeoff.plugins import Plugins
from bakeoff.settings import ConfigClass, resolve
from bakeoff.stack import StackPlan

SAGAS = (
    "bakeoff.contract.sagas",
    "bakeoff.orders",
    "tests.engines.replay_sagas",
    "tests.engines.large_sagas",
)


@contextmanager
def temporal_lab(
    folder: Path,
    hint: str,
    *,
    config_class: ConfigClass = ConfigClass.CI,
    overrides: Mapping[str, str] | None = None,
    slots: int = 4,
    prefix: str = "bakeoff-",
) -> Iterator[Lab]:
    """Bring Temporal up for the length of the context; ``hint`` begins every workflow id."""
    engine = Plugins().engine("temporal")
    settings = resolve("temporal", engine.info().settings, config_class, overrides)
    thread = StackThread(
        StackPlan(engine=engine, settings=settings, folder=folder, sagas=SAGAS, slots=slots, prefix=prefix)
    )
    stack = thread.start()
    try:
        yield Lab(stack, thread, hint)
    finally:
        if not stack.deployment.external:
            stack.launcher.hurry()  # nobody comes back to these servers
        thread.stop()
