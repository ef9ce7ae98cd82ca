"""The engine itself starts a saga, once per period, under the id of that period."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from bakeoff.contract.lab import Lab
from bakeoff.contract.sagas import LONG_STEPS, SINGLE, WITNESS
from bakeoff.contract.scheduled import listed, make, scheduled, unschedule
from bakeoff.engine import Capability
from bakeoff.errors import ScheduleRefusedError, UnknownNameError
from bakeoff.outcome import Status
from bakeoff.schedules import Schedule

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.requires(Capability.SCHEDULES, Capability.ORDER, Capability.OUTCOME),
]

#: Seconds: short, and yet longer than a busy machine keeps a process waiting.
_EVERY_S = 3.0
#: Seconds that a step of the saga takes, which is therefore under way when the next period begins.
_SLOW_S = 10.0
#: So long that no period of it begins during a test.
_SELDOM_S = 86_400.0


def test_each_period_starts_one_saga_with_its_id(lab: Lab) -> None:
    """From the next period on, none left out; its input is that id, and it completes."""
    with scheduled(lab, WITNESS, _EVERY_S) as it:
        first, *_, last = it.until_begun(3)
        # Sagas of several periods owe each other no order: one in between may act last.
        possible = it.ids(it.first_possible(), 60)
        expected = possible[possible.index(first) : possible.index(last) + 1]
        lab.until(f"{expected}, none left out", lambda: set(expected) <= set(it.begun()))
        begun = [one for one in it.begun() if one <= last]
        ends = [it.saga_of(workflow_id).settled() for workflow_id in begun]

    assert begun == expected
    for end in ends:
        assert end.outcome.status is Status.COMPLETED
        assert end.trace.result("first") == {"input": end.started.workflow_id, "results": {}}
        assert end.counts == {"first": 1, "second": 1, "third": 1}


def test_period_starts_while_the_last_ones_saga_runs(lab: Lab) -> None:
    """A billing cycle may take longer than a month: nobody skips the next one, and nobody ends this one."""
    slow = {"book_flight:action": {"first": [f"slow:{_SLOW_S:g}"]}}
    with scheduled(lab, LONG_STEPS, _EVERY_S, fates=slow) as it:  # type: ignore[arg-type]
        first, second = it.until_begun(2)[:2]
        it.remove()
        ends = [it.saga_of(one).settled(2 * _SLOW_S + lab.patience_s) for one in it.begun()]

    assert {end.outcome.status for end in ends} == {Status.COMPLETED}
    traces = {end.started.workflow_id: end.trace for end in ends}
    ended, began = traces[first].effect("book_flight").at, traces[second].attempts("book_flight")[0].at
    assert began < ended, f"{second} began when the step of {first} was over"
    possible = it.ids(it.first_possible(), 60)
    assert possible.index(second) == possible.index(first) + 1


def test_removed_schedule_starts_nothing_more(lab: Lab) -> None:
    """What has begun goes on to its end; no period that begins afterwards has a saga."""
    with scheduled(lab, SINGLE, _EVERY_S) as it:
        first = it.until_begun(1)[0]
        it.remove()
        last = it.schedule.saga_id(time.time())

        lab.never("a saga of a period after the end", lambda: max(it.begun()) > last, for_s=3 * _EVERY_S)
    assert it.saga_of(first).outcome().status is Status.COMPLETED


def test_schedule_is_made_once_and_removed_once(lab: Lab) -> None:
    """A second one of the same id is refused, and so is the removal of one that is not there."""
    with scheduled(lab, SINGLE, _SELDOM_S) as it:
        with pytest.raises(ScheduleRefusedError):
            make(lab, WITNESS, it.schedule.id, _EVERY_S)
        it.remove()
        with pytest.raises(UnknownNameError):
            it.remove()
    with pytest.raises(UnknownNameError):
        unschedule(lab, lab.new_id())


def test_schedules_are_listed_while_they_are_there(lab: Lab) -> None:
    """Each with its saga and its period."""
    with scheduled(lab, SINGLE, _SELDOM_S) as it:
        wanted = Schedule(id=it.schedule.id, saga=SINGLE.name, every=timedelta(seconds=_SELDOM_S))
        lab.until(f"{wanted} in the list", lambda: wanted in listed(lab))
        it.remove()
        lab.until("it has left the list", lambda: it.schedule.id not in {one.id for one in listed(lab)})
