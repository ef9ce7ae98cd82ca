"""What keeps the schedules dies and comes back: a process of its own, or the server."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest

from bakeoff.contract.lab import Lab, Settled
from bakeoff.contract.sagas import JOURNEY
from bakeoff.contract.scheduled import kill_scheduler, scheduled
from bakeoff.engine import Capability
from bakeoff.outcome import Status

pytestmark = [
    pytest.mark.recovery,
    pytest.mark.timeout(300),
    pytest.mark.requires(Capability.SCHEDULES, Capability.ORDER, Capability.OUTCOME),
]

#: Seconds: it dies and is back within one period, so that it could start the same one again.
_LONG_S = 8.0
_SHORT_S = 2.0
_ONCE = {step.name: 1 for step in JOURNEY.steps()}


def test_scheduler_that_was_killed_starts_no_period_twice(killable: Lab) -> None:
    """It goes on with the next period; the saga of the one in which it died has acted once."""
    with scheduled(killable, JOURNEY, _LONG_S) as it:
        before = it.until_begun(2)
        assert it.saga_of(before[-1]).outcome().status is Status.COMPLETED
        kill_scheduler(killable)
        begun = it.until_begun(len(before) + 1)
        ends = [it.saga_of(workflow_id).settled() for workflow_id in begun]

    assert begun[: len(before)] == before
    assert [end.counts for end in ends[: len(before)]] == [_ONCE] * len(before)
    _check_begun_once(ends)


@pytest.mark.requires(Capability.CATCH_UP)
def test_periods_that_were_missed_are_made_up(killable: Lab) -> None:
    """Away over the begin of three periods: each of them gets its saga afterwards, under its own id.

    What was on its way when it died may have lost an attempt, and so may what begins right after its return.
    """
    with scheduled(killable, JOURNEY, _SHORT_S) as it:
        it.until_begun(1)
        kill_scheduler(killable, away_s=3 * _SHORT_S)
        missed = it.ids(it.schedule.next_period(time.time() - 3 * _SHORT_S), 3)
        killable.until(
            f"a saga of each of {', '.join(missed)}",
            lambda: set(missed) <= set(it.begun()),
            killable.patience_s + _SHORT_S,
        )
        ends = [it.saga_of(workflow_id).settled() for workflow_id in missed]

    _check_begun_once(ends)


def _check_begun_once(ends: Sequence[Settled]) -> None:
    """Begun twice, one would count its attempts from 1 twice; a server that dies may cost it an attempt."""
    for end in ends:
        assert end.outcome.status is Status.COMPLETED
        assert end.story == list(_ONCE)
        numbers = {step: [attempt.attempt for attempt in end.trace.attempts(step)] for step in _ONCE}
        assert numbers == {step: list(range(1, len(made) + 1)) for step, made in numbers.items()}
