"""Kills summed up: shares with an interval, times that may be censored, and what was not observed at all."""

from __future__ import annotations

from typing import Any

import pytest

from bakeoff_bench.crash.cells import NOT_OBSERVED, Times, cell_of, is_harmful, outcome_word
from bakeoff_bench.crash.folder import standing
from bakeoff_bench.crash.outcome import KillOutcome


def _row(outcome: str, recovery_s: float | None = None, **more: Any) -> dict[str, Any]:
    times = dict.fromkeys(("detection_s", "first_progress_s", "recovery_s"), recovery_s)
    return {"outcome": outcome, "deadline_s": 30.0, "lease_s": None, **times, **more}


def test_share_has_wilsons_interval() -> None:
    cell = cell_of([_row("retried", 1.0)] * 9 + [_row("lost")])

    assert (cell.landed, cell.judged, cell.harmed) == (10, 10, 1)
    assert cell.harm is not None
    # Wilson's score interval of 1 in 10, from the formula: (0.0179, 0.4042).
    assert cell.harm == pytest.approx((0.0179, 0.4042), abs=1e-4)


def test_void_and_unsupported_kills_say_nothing() -> None:
    cell = cell_of([_row("void"), _row("not supported")])

    assert (cell.landed, cell.harm) == (0, None)
    assert cell.outcomes == {"void": 1, "not supported": 1}


def test_lease_beyond_the_deadline_is_not_observed_and_nobodys_harm() -> None:
    row = _row("stuck", lease_s=3600.0)

    assert outcome_word(row) == NOT_OBSERVED
    assert not is_harmful(row)
    assert cell_of([row]).harm is None


@pytest.mark.parametrize("lease_s", [None, 12.0])
def test_stuck_is_harm_where_it_should_have_gone_on(lease_s: float | None) -> None:
    row = _row("stuck", lease_s=lease_s)

    assert outcome_word(row) == KillOutcome.STUCK
    assert is_harmful(row)


@pytest.mark.parametrize(
    ("times", "median_s"),
    [
        (Times((1.0, 2.0, 3.0), 0, 0), 2.0),
        (Times((1.0, 2.0), 1, 0), 2.0),
        (Times((1.0,), 2, 0), None),
        (Times((1.0,), 0, 2), None),
        (Times((), 0, 0), None),
    ],
)
def test_median_counts_what_was_not_over(times: Times, median_s: float | None) -> None:
    assert times.median_s == median_s


def test_what_an_engine_has_lost_will_never_recover() -> None:
    cell = cell_of([_row("lost"), _row("stuck"), _row("clean", 4.0)])

    assert (cell.recovery.seen_s, cell.recovery.censored, cell.recovery.never) == ((4.0,), 1, 1)


def test_nobody_is_stuck_the_moment_his_lease_ends() -> None:
    """Somebody has to look, and then there is work to do."""
    assert outcome_word(_row("stuck", lease_s=30.0)) == NOT_OBSERVED
    assert outcome_word(_row("stuck", lease_s=25.0)) == KillOutcome.STUCK


def test_a_repeat_that_may_yet_come_is_not_observed() -> None:
    """A message that was not acknowledged comes again after the lease, when its saga is long over."""
    row = _row("clean", 1.0, open=True)

    assert outcome_word(row) == NOT_OBSERVED
    assert outcome_word({**row, "open": False}) == KillOutcome.CLEAN
    assert outcome_word({**row, "outcome": "lost"}) == KillOutcome.LOST


def test_a_void_kill_stands_until_it_has_been_made_again() -> None:
    def kill(outcome: str, point: str = "a.after_effect") -> dict[str, Any]:
        return {"series": 0, "contestant": "x", "fault": "f", "point": point, "outcome": outcome}

    series = [{"kills": 2}]
    void, clean, other = kill("void"), kill("clean"), kill("void", "b.after_effect")

    assert standing([void, clean], series) == [void, clean]
    assert standing([void, clean, clean, other], series) == [clean, clean, other]
    assert standing([void, void, clean], series) == [void, clean]
