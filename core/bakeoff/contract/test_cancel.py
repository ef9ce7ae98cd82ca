"""S9: a cancel before the point of no return compensates; it never interrupts a compensation."""

from __future__ import annotations

import pytest

from bakeoff.contract.lab import Fates, Lab
from bakeoff.contract.sagas import APPROVAL, LONG_NAPPING, LONG_PAUSE, MIXED, PIVOT, TRIP
from bakeoff.contract.strike import held
from bakeoff.engine import Capability
from bakeoff.errors import WorkflowNotFoundError
from bakeoff.outcome import Cause, Status
from bakeoff.world import Aim, Point

pytestmark = pytest.mark.requires(Capability.CANCEL, Capability.COMPENSATION, Capability.OUTCOME)


def _check(cause: Cause | None) -> None:
    assert cause is not None
    assert cause.type == "Cancelled"


def test_cancel_mid_saga_compensates(lab: Lab) -> None:
    """The step that acts may finish; no later one starts, everything is undone."""
    with held(lab, TRIP, Aim("book_hotel", "action", Point.BEFORE_EFFECT)) as started:
        started.cancel()
    end = started.settled()

    assert end.outcome.status is Status.COMPENSATED
    _check(end.outcome.cause)
    assert "book_car" not in end.counts
    undone = [word for word in end.story if word.startswith("undo")]
    assert undone[0] in ("undo book_hotel", "undo book_hotel (nothing)")
    assert undone[1:] == ["undo book_flight"]


def test_cancel_during_the_last_step_compensates(lab: Lab) -> None:
    """Without a pivot it is too late after the last step's success, not before: the step is undone too."""
    with held(lab, MIXED, Aim("book_car", "action", Point.BEFORE_EFFECT)) as started:
        started.cancel()
    end = started.settled()

    assert end.outcome.status is Status.COMPENSATED
    _check(end.outcome.cause)
    assert end.counts["book_car"] == 1
    undone = [word for word in end.story if word.startswith("undo")]
    assert undone[0] in ("undo book_car", "undo book_car (nothing)")
    assert undone[1:] == ["undo book_hotel", "undo book_flight"]


def test_cancel_between_retries_compensates(lab: Lab) -> None:
    """A step that would be tried once more is given up, and undone itself."""
    started = lab.start(LONG_PAUSE, fates={"growing:action": {"then": "fault"}})
    started.until_attempted("growing", 2)
    started.cancel()
    end = started.settled()

    assert end.outcome.status is Status.COMPENSATED
    _check(end.outcome.cause)
    assert end.story == ["steady", "undo growing (nothing)", "undo steady"]
    assert end.counts["growing"] == 2


@pytest.mark.requires(Capability.SIGNALS)
def test_cancel_while_waiting_compensates(lab: Lab) -> None:
    """The signal never came, the cancel did."""
    started = lab.start(APPROVAL)
    started.until_done("book_flight")
    started.cancel()
    end = started.settled()

    assert end.outcome.status is Status.COMPENSATED
    _check(end.outcome.cause)
    assert end.story == ["book_flight", "undo book_flight"]


@pytest.mark.requires(Capability.TIMERS)
def test_cancel_while_sleeping_compensates(lab: Lab) -> None:
    """It does not act on after the sleep."""
    started = lab.start(LONG_NAPPING)
    started.until_done("book_flight")
    started.cancel()
    end = started.settled()

    assert end.outcome.status is Status.COMPENSATED
    _check(end.outcome.cause)
    assert end.story == ["book_flight", "undo book_flight"]


def test_cancel_during_compensation_changes_nothing(lab: Lab) -> None:
    """Every undo is made, and the cause is what it was."""
    declined: Fates = {"send_itinerary:action": {"then": "decline"}}
    with held(lab, TRIP, Aim("book_hotel", "compensation", Point.BEFORE_EFFECT), declined) as started:
        started.cancel()
    end = started.settled()

    assert end.outcome.status is Status.COMPENSATED
    assert end.outcome.cause is not None
    assert (end.outcome.cause.type, end.outcome.cause.step) == ("BusinessError", "send_itinerary")
    assert end.story[3:] == ["undo book_car", "undo book_hotel", "undo book_flight"]
    assert end.counts["undo book_hotel"] == 1


def test_cancel_after_the_end_changes_nothing(lab: Lab) -> None:
    """Completed stays completed."""
    end = lab.settle(TRIP)
    end.started.cancel()

    assert end.started.outcome().status is Status.COMPLETED
    lab.never("it was undone", lambda: len(end.started.trace().story()) > 4, for_s=0.3)


@pytest.mark.requires(Capability.PIVOT)
def test_cancel_at_the_pivot_is_too_late(lab: Lab) -> None:
    """The pivot's first attempt was made: the saga is completed."""
    with held(lab, PIVOT, Aim("pay", "action", Point.BEFORE_EFFECT)) as started:
        started.cancel()
    end = started.settled()

    assert end.outcome.status is Status.COMPLETED
    assert end.story == ["book_flight", "book_hotel", "pay", "issue_ticket", "send_itinerary"]


@pytest.mark.requires(Capability.PIVOT)
def test_cancel_after_the_pivot_is_too_late(lab: Lab) -> None:
    """Nothing is compensated any more."""
    with held(lab, PIVOT, Aim("issue_ticket", "action", Point.BEFORE_EFFECT)) as started:
        started.cancel()
    end = started.settled()

    assert end.outcome.status is Status.COMPLETED
    assert end.story == ["book_flight", "book_hotel", "pay", "issue_ticket", "send_itinerary"]


def test_cancel_twice_is_one_cancel(lab: Lab) -> None:
    """Every undo is made once."""
    with held(lab, TRIP, Aim("book_car", "action", Point.AFTER_EFFECT)) as started:
        started.cancel()
        started.cancel()
    end = started.settled()

    assert end.outcome.status is Status.COMPENSATED
    assert [word for word in end.story if word.startswith("undo")] == [
        "undo book_car",
        "undo book_hotel",
        "undo book_flight",
    ]
    assert {end.counts[f"undo {step}"] for step in ("book_car", "book_hotel", "book_flight")} == {1}


def test_cancel_of_an_unknown_saga(lab: Lab) -> None:
    """Not found."""
    with pytest.raises(WorkflowNotFoundError):
        lab.prepare(TRIP).cancel()
