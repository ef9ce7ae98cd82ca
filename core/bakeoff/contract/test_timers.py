"""A durable timer: not early, not twice, and for as long as it takes."""

from __future__ import annotations

import pytest

from bakeoff.contract.lab import Lab, Started
from bakeoff.contract.sagas import LONG_NAP, NAP, NAPPING, THIRTY_DAYS, TRIP
from bakeoff.contract.statuses import Unknown
from bakeoff.engine import Cancels, Capability
from bakeoff.outcome import Status

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
    sleeping = [lab.start(NAPPING) for _ in range(20)]
    busy = lab.settle(TRIP)

    ends = [one.settled() for one in sleeping]
    assert {end.outcome.status for end in ends} == {Status.COMPLETED}
    assert all(end.counts == _ONCE for end in ends)
    woken = min(end.trace.attempts("book_hotel")[0].at for end in ends)
    last = max(end.trace.attempts("book_hotel")[0].at for end in ends)
    # Were a sleeping saga to hold one of four slots, twenty would sleep in five rounds.
    assert last - woken < 3 * NAP.total_seconds()
    assert busy.trace.effect("send_itinerary").at < last


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
def test_timer_of_thirty_days(lab: Lab) -> None:
    """It is accepted and does not strike at once; that it strikes in the end, nobody waits for here."""
    started = lab.start(THIRTY_DAYS)
    started.until_done("book_flight")

    lab.never("it struck at once", lambda: started.trace().attempts("book_hotel"), for_s=0.7)
    if isinstance(lab.stack.client, Cancels):
        started.cancel()
    raise Unknown("it does not strike early; whether it strikes after 30 days needs a server that skips time")
