"""Numbers that nothing works with are refused where they are set."""

from __future__ import annotations

import pytest

from bakeoff.errors import UsageError
from bakeoff.settings import MOST, ConfigClass, Setting, resolve

DECLARED = (
    Setting(name="threads", help="n", default=4, recommended=4, ci=4, env="THREADS"),
    Setting(name="lease", help="seconds", default=4.0, recommended=4.0, ci=4.0),
    Setting(name="slow", help="seconds", default=4.0, recommended=4.0, ci=4.0, least=0.5),
    Setting(name="retries", help="n", default=4, recommended=4, ci=4, least=0),
)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("threads", "0", "--set x.threads=0: 0 is less than 1, the least that works"),
        ("threads", "-1", "is negative"),
        ("threads", str(MOST + 1), f"is more than {MOST}"),
        ("lease", "0", "is not positive"),
        ("lease", "-0.0", "is not positive"),
        ("lease", "nan", "is no finite number"),
        ("lease", "inf", "is no finite number"),
        ("lease", "-inf", "is no finite number"),
        ("lease", "1e300", "is more than"),
        ("slow", "0.4", "is less than 0.5"),
        ("retries", "-1", "is negative"),
    ],
)
def test_what_cannot_work_is_refused(name: str, text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolve("x", DECLARED, ConfigClass.CI, {name: text})

    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [("threads", "1", 1), ("lease", "1e-3", 0.001), ("slow", "0.5", 0.5), ("retries", "0", 0)],
)
def test_the_least_that_works_is_taken(name: str, text: str, value: float) -> None:
    assert resolve("x", DECLARED, ConfigClass.CI, {name: text})[name] == value


def test_a_variable_is_named_as_the_place() -> None:
    with pytest.raises(UsageError, match=r"^THREADS=0: 0 is less than 1"):
        resolve("x", DECLARED, ConfigClass.CI, environ={"THREADS": "0"})
