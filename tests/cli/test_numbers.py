"""Times as people say them."""

from __future__ import annotations

import pytest
import typer

from bakeoff.cli.numbers import read_seconds


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("60", 60), ("0.5", 0.5), ("60s", 60), ("1m30s", 90), ("2h", 7200), ("500ms", 0.5), ("1.5 min", 90)],
)
def test_a_time_is_read(said: str, seconds: float) -> None:
    assert read_seconds(said) == pytest.approx(seconds)


@pytest.mark.parametrize("said", ["soon", "", "60 seconds ago", "1m30x", "s", "--"])
def test_what_is_no_time_is_refused(said: str) -> None:
    with pytest.raises(typer.BadParameter, match="is no time; write seconds, or 60s, 1m30s, 2h"):
        read_seconds(said)
