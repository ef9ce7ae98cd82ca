"""How long a comparison takes: guessed from a measured run, then told by its own rounds."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from bakeoff_bench.overhead.duration import rough_seconds, teller

_STORED = Path(__file__).parents[2] / "docs" / "results" / "overhead.json"


def test_the_guess_is_what_the_stored_run_took() -> None:
    """36 minutes, as docs/overhead.md says."""
    stored = json.loads(_STORED.read_text())
    in_process = [one["offered_per_s"] is None for one in stored["contestants"]]
    seconds = sum(rough_seconds(one, stored["rounds"], stored["sagas"]) for one in in_process)

    assert 34 * 60 < seconds < 38 * 60


def test_more_rounds_and_more_sagas_take_longer() -> None:
    assert rough_seconds(False, 1, 100) < rough_seconds(False, 2, 100) < rough_seconds(False, 2, 200)


def test_rounds_that_were_made_tell_how_long_the_others_take(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thrice as slow as guessed; those behind it are guessed on."""
    now_s = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now_s)
    told: list[str] = []
    tell = teller("temporal", 3, [30.0, 50.0], told.append)
    tell(0)
    now_s += 30
    tell(1)
    now_s += 30
    tell(2)

    assert told == [
        "temporal, about 80 s left: round 1 of 3",
        "temporal, about 110 s left: round 2 of 3",
        "temporal, about 80 s left: round 3 of 3",
    ]


def test_a_first_round_that_takes_longer_is_owned_up_to(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now_s)
    told: list[str] = []
    tell = teller("inline", 1, [5.0], told.append)
    now_s = 6.0
    tell(0)

    assert told == ["inline, longer than expected: round 1 of 1"]
