"""A durable timer: not early, not twice, and for as long as it takes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bakeoff.contract.lab import Lab, Started
from bakeoff.contract.sagas import LONG_NAP, NAP, NAPPING, RESTING, THIRTY_DAYS, TRIP
from bakeoff.contract.stack_thread import StackThread
from bakeoff.contract.statuses import Unknown
from bakeoff.engine import Cancels, Capability, MovesClock, SkipsTime, Support
from bakeoff.outcome import Status
from bakeoff.stack import StackPlan

pytestmark = pytest.mark.requires(Capability.TIMERS, Capability.OUTCOME)

_ONCE = {"book_flight": 1, "book_hotel": 1}


@pytest.mark.early(NAPPING, {})
def test_timer_is_neither_early_nor_twice(early: Started) -> None:
    """The next step acts once, and not before the time is over."""
    end = early.settled()

    assert end.outcome.status is Status.COMPLETED
    assert end.counts == _ONCE
    slept = end.trace.attempts("book_hotel")[0].at - end.trace.effect("book_flight").at
    assert slept >= NAP.total_seconds() - 0.01


@pytest.mark.early(NAPPING, {"book_flight:action": {"first": ["late:0.5"]}})
def test_timer_starts_after_the_step_before_it(early: Started) -> None:
    """Retries of that step do not count as sleep."""
    end = early.settled()

    slept = end.trace.attempts("book_hotel")[0].at - end.trace.effect("book_flight").at
    assert slept >= NAP.total_seconds() + 0.5 - 0.01


def test_sleeping_sagas_stand_in_nobodys_way(lab: Lab) -> None:
    """More sagas sleep than there are slots for steps, and others act meanwhile."""
    sleeping = [lab.start(RESTING) for _ in range(12)]
    busy = lab.settle(TRIP)

    ends = [one.settled() for one in sleeping]
    assert {end.outcome.status for end in ends} == {Status.COMPLETED}
    assert all(end.counts == _ONCE for end in ends)
    naps = [(end.trace.effect("book_flight").at, end.trace.attempts("book_hotel")[0].at) for end in ends]
    at_once = max(sum(begin <= moment < end for begin, end in naps) for moment, _ in naps)
    # Were a sleeping saga to hold a slot, no more than there are slots could sleep at once.
    assert at_once > lab.stack.deployment.slots
    assert busy.trace.effect("send_itinerary").at < max(end for _, end in naps)


@pytest.mark.requires(Capability.COMPENSATION)
@pytest.mark.early(NAPPING, {"book_hotel:action": {"then": "decline"}})
def test_failure_after_a_timer_undoes_the_steps_before_it(early: Started) -> None:
    """What was done before a sleep is undone after it."""
    end = early.settled()

    assert end.outcome.status is Status.COMPENSATED
    assert end.story == ["book_flight", "undo book_flight"]


@pytest.mark.requires(Capability.LONG_TIMERS)
def test_timer_longer_than_the_lease(lab: Lab, long_nap: Started) -> None:
    """In real time: it outlasts what the engine believes to be a dead worker's silence."""
    end = long_nap.settled(LONG_NAP.total_seconds() + lab.patience_s)

    assert end.outcome.status is Status.COMPLETED
    assert end.counts == _ONCE
    slept = end.trace.attempts("book_hotel")[0].at - end.trace.effect("book_flight").at
    assert slept >= LONG_NAP.total_seconds() - 0.01


@pytest.mark.requires(Capability.LONG_TIMERS)
@pytest.mark.early(THIRTY_DAYS, {})
def test_timer_of_thirty_days(lab: Lab, early: Started, tmp_path: Path) -> None:
    """It does not strike at once. Where the engine has a server that skips time, it strikes in the end."""
    asleep_at = early.until_done("book_flight").effect("book_flight").at

    lab.never(
        "it struck at once",
        lambda: early.trace().attempts("book_hotel"),
        for_s=max(0.0, asleep_at + 1 - time.time()),
    )
    able = lab.stack.info.claims[Capability.CANCEL].support is not Support.ABSENT
    if able and isinstance(lab.stack.client, Cancels):
        early.cancel()
    if not isinstance(lab.stack.engine, SkipsTime) or lab.stack.deployment.external:
        raise Unknown("not early; whether it strikes after 30 days needs a server that skips time")
    with _where_time_skips(lab, lab.stack.engine, tmp_path) as (month, clock):
        sleeping = month.start(THIRTY_DAYS)
        month.until("it sleeps", lambda: sleeping.describe().current_step == "nap")
        month.thread.call(lambda: clock.skip_time(30 * 86400 - 60), 20)
        month.never("it struck early", lambda: sleeping.trace().attempts("book_hotel"), for_s=0.5)
        month.thread.call(lambda: clock.skip_time(61), 20)
        end = sleeping.settled()
    assert end.outcome.status is Status.COMPLETED
    assert end.counts == _ONCE


@contextmanager
def _where_time_skips(lab: Lab, engine: SkipsTime, folder: Path) -> Iterator[tuple[Lab, MovesClock]]:
    """The same engine once more, on its server that skips time."""
    deployment = lab.stack.deployment
    settings = engine.skipping_time(deployment.settings)
    thread = StackThread(
        StackPlan(engine=lab.stack.engine, settings=settings, folder=folder, sagas=deployment.sagas)
    )
    stack = thread.start()
    try:
        assert isinstance(stack.client, MovesClock), "declared, but the client cannot move the clock"
        yield Lab(stack, thread, f"{lab.hint}-month", lab.patience_s), stack.client
    finally:
        thread.stop()
