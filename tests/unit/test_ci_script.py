"""``.ci/run`` is for Linux and macOS, whose bash is version 3.2."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / ".ci" / "run"

#: What bash learned after 3.2, as the manual's NEWS lists it: ``{what: pattern}``.
YOUNGER = {
    "printf of the time (4.2)": r"%\([^)]*\)T",
    "arrays by name (4.0)": r"\b(declare|local|typeset) -A\b",
    "mapfile (4.0)": r"\b(mapfile|readarray)\b",
    "change of case (4.0)": r"\$\{\w+(,|\^)",
    "both streams, appended or piped (4.0)": r"&>>|\|&",
    "seconds since the epoch (5.0)": r"\$\{?EPOCH",
}


@pytest.mark.parametrize("what", YOUNGER)
def test_bash_of_macos_understands_it(what: str) -> None:
    assert re.findall(YOUNGER[what], SCRIPT.read_text()) == []
