"""The rules for numbers: what can be looked up in a run is looked up, and said with its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bakeoff_bench.report.sections.rules import Kept, rules
from bakeoff_bench.report.sources import read_sources
from tests.report.synthetic import CONTESTANTS, NOTE, blocks_of, crash_result, load_result, write

_PILOT = {"rounds": 30, "resolves": 0.11, "enough": False, "log_sd": 0.09, "planned_sd": 0.13, "rates": {}}


def _rule(folder: Path, number: int, **results: Mapping[str, Any]) -> tuple[Kept, str]:
    """Whether it was kept in a report of these, and how."""
    files = [write(folder, f"{name}.json", result) for name, result in results.items()]
    (found,) = [one for one in rules(read_sources(files)) if one[0].startswith(f"{number} ")]
    return found[1:]


@pytest.mark.parametrize(
    ("rounds", "pilot", "kept", "told"),
    [
        (2, None, Kept.NO, "load.json: 2 of 2 planned rounds, 10 are due without a pilot"),
        (10, None, Kept.YES, "load.json: 10 of 10 planned rounds, 10 are due without a pilot"),
        (3, _PILOT, Kept.NO, "load.json: 3 of 30 rounds that its pilot asked for"),
        (30, _PILOT, Kept.YES, "load.json: 30 of 30 rounds that its pilot asked for"),
    ],
)
def test_rounds_are_held_against_what_was_due(
    tmp_path: Path, rounds: int, pilot: dict[str, Any] | None, kept: Kept, told: str
) -> None:
    load = load_result({"x": "none"}, rounds=rounds) | ({} if pilot is None else {"pilot": pilot})
    found = _rule(tmp_path, 7, load=load)

    assert found == (kept, f"{told}; pairs are corrected for being so many")


def test_fewer_rounds_than_planned_are_too_few(tmp_path: Path) -> None:
    """Broken off, or out of time."""
    load = load_result({"x": "none"}, rounds=12)
    load["plan"]["rounds"] = 20
    load["rounds_in_time"] = {"made": 12, "planned": 20, "within_s": 600.0}

    assert _rule(tmp_path, 7, load=load)[0] is Kept.NO
    assert "12 of 20 planned rounds" in _rule(tmp_path, 7, load=load)[1]


def test_rounds_that_do_not_count_are_not_made(tmp_path: Path) -> None:
    load = load_result({"x": "none"}, rounds=10)
    spoilt = next(row for row in load["loads"] if row["phase"] == "round")
    spoilt["measured"]["void"] = ["others used the machine"]
    kept, how = _rule(tmp_path, 7, load={**load, "blocks": blocks_of(load["loads"])})

    assert kept is Kept.NO
    assert "9 of 10 planned rounds" in how


def test_of_several_loads_each_is_told_and_the_worst_counts(tmp_path: Path) -> None:
    many, few = load_result({"x": "none"}, rounds=10), load_result({"x": "none"}, rounds=2)
    kept, how = _rule(tmp_path, 7, many=many, few=few)

    assert kept is Kept.NO
    assert "many.json: 10 of 10" in how
    assert "few.json: 2 of 2" in how


def test_durability_is_looked_up(tmp_path: Path) -> None:
    kept, how = _rule(tmp_path, 12, load=load_result(), crash=crash_result())

    assert (kept, how) == (Kept.YES, "stands with every contestant; power loss is not tested")


def test_who_lacks_a_durability_tier_is_named(tmp_path: Path) -> None:
    crash = crash_result()
    for label in ("inline", "temporal"):
        del crash["manifest"]["contestants"][label]["durability"]
    del crash["manifest"]["contestants"]["inline"]["survives"]
    kept, how = _rule(tmp_path, 12, load=load_result(), crash=crash)

    assert kept is Kept.NO
    assert how == "not told of inline (crash.json); power loss is not tested", (
        "temporal says what it survives"
    )


def test_a_load_that_checked_itself_is_checked(tmp_path: Path) -> None:
    load = load_result()
    for about in load["contestants"].values():
        about["self_check"] = "valid"

    assert _rule(tmp_path, 16, load=load)[0] is Kept.YES
    del load["contestants"]["temporal"]["self_check"]
    load["contestants"]["inline"]["self_check"] = "unknown"
    assert _rule(tmp_path, 16, load=load) == (
        Kept.NO,
        "neither a valid main job nor a self-check of inline, temporal",
    )


def test_a_load_that_checked_itself_says_nothing_of_kills(tmp_path: Path) -> None:
    load = load_result()
    for about in load["contestants"].values():
        about["self_check"] = "valid"
    kept, how = _rule(tmp_path, 16, load=load, crash=crash_result())

    assert kept is Kept.NO
    assert all(label in how for label in CONTESTANTS)


def test_a_rate_of_temporal_without_its_note_breaks_the_rule(tmp_path: Path) -> None:
    load = load_result()

    assert _rule(tmp_path, 17, load=load) == (Kept.YES, f"its note stands in the conditions: {NOTE}")
    load["contestants"]["temporal"]["note"] = ""
    assert _rule(tmp_path, 17, load=load) == (
        Kept.NO,
        "no note says which server it was: temporal (load.json)",
    )
