"""S9: a cancel before the point of no return compensates; it never interrupts a compensation."""

from __future__ import annotations

import pytest

from bakeoff.contract.lab import Lab
from bakeoff.contract.sagas import APPROVAL, BACKOFF, MIXED, NAPPING, PIVOT, TRIP
from bakeoff.engine import Capability
from bakeoff.errors import WorkflowNotFoundError
from bakeoff.outcome import Cause, Status

pytestmark = pytest.mark.requires(Capability.CANCEL, Capability.COMPENSATION, Capability.OUTCOME)


def _check(cause: Cause | None) -> None:
    assert cause is not None
    assert cause.type == "Cancelled"


def test_cancel_mid_saga_compensates(lab: Lab) -> None:
    """The step that acts may finish; no later one starts, everything is undone."""
    started = lab.start(TRIP, fates={"book_hotel:action": {"first": ["slow:1"]}})
    started.until_attempted("book_hotel")
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
    started = lab.start(MIXED, fates={"book_car:action": {"first": ["slow:1"]}})
    started.until_attempted("book_car")
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
    started = lab.start(BACKOFF, fates={"growing:action": {"then": "fault"}})
    started.until_attempted("growing", 3)
    started.cancel()
    end = started.settled()

    assert end.outcome.status is Status.COMPENSATED
    _check(end.outcome.cause)
    assert end.story == ["steady", "undo growing (nothing)", "undo steady"]
    assert end.counts["growing"] == 3


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
    started = lab.start(NAPPING)
    started.until_done("book_flight")
    started.cancel()
    end = started.settled()

    assert end.outcome.status is Status.COMPENSATED
    _check(end.outcome.cause)
    assert end.story == ["book_flight", "undo book_flight"]


def test_cancel_during_compensation_changes_nothing(lab: Lab) -> None:
    """Every undo is made, and the cause is what it was."""
    started = lab.start(
        TRIP,
        fates={
            "send_itinerary:action": {"then": "decline"},
            "book_hotel:compensation": {"first": ["slow:0.8"]},
        },
    )
    started.until_undo_attempted("book_hotel")
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
    started = lab.start(PIVOT, fates={"pay:action": {"first": ["slow:0.8"]}})
    started.until_attempted("pay")
    started.cancel()
    end = started.settled()

    assert end.outcome.status is Status.COMPLETED
    assert end.story == ["book_flight", "book_hotel", "pay", "issue_ticket", "send_itinerary"]


@pytest.mark.requires(Capability.PIVOT)
def test_cancel_after_the_pivot_is_too_late(lab: Lab) -> None:
    """Nothing is compensated any more."""
    started = lab.start(PIVOT, fates={"issue_ticket:action": {"first": ["slow:0.8"]}})
    started.until_attempted("issue_ticket")
    started.cancel()
    end = started.settled()

    assert end.outcome.status is Status.COMPLETED
    assert end.story == ["book_flight", "book_hotel", "pay", "issue_ticket", "send_itinerary"]


def test_cancel_twice_is_one_cancel(lab: Lab) -> None:
    """Every undo is made once."""
    started = lab.start(TRIP, fates={"book_car:action": {"first": ["late:0.8"]}})
    started.until_attempted("book_car")
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
