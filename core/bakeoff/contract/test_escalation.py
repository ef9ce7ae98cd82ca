"""``on_exhausted``: an exhausted step is undone, and others go on in its place (S2)."""

from __future__ import annotations

import pytest

from bakeoff.contract.lab import Fates, Lab, Settled
from bakeoff.contract.sagas import ASKING, ESCALATING
from bakeoff.contract.strike import free, held, standing, start_at
from bakeoff.engine import Capability
from bakeoff.errors import SignalRejectedError
from bakeoff.outcome import Status
from bakeoff.world import Aim, Point

pytestmark = pytest.mark.requires(Capability.ESCALATION, Capability.OUTCOME)

#: The exhausted step's undo, which finds nothing to undo.
_NOTHING = "undo hasty (nothing)"
_EXHAUSTED: Fates = {"hasty:action": {"then": "fault"}}


def _end(lab: Lab, **words: str) -> Settled:
    """Settle with ``hasty`` exhausted; ``after="decline"``, ``undo_hasty="fault"`` is for every attempt."""
    fates = dict(_EXHAUSTED)
    for name, word in words.items():
        direction = "compensation" if name.startswith("undo_") else "action"
        fates[f"{name.removeprefix('undo_')}:{direction}"] = {"then": word}
    return lab.settle(ESCALATING, fates=fates)


def test_escalation_is_not_reached_by_the_ordinary_way(lab: Lab) -> None:
    """Nobody is exhausted: the saga ends before it."""
    end = lab.settle(ESCALATING, fates={"hasty:action": {"first": ["fault"]}})

    assert end.outcome.status is Status.COMPLETED
    assert end.counts == {"book_flight": 1, "hasty": 2, "book_hotel": 1, "send_itinerary": 1}
    assert set(end.outcome.results) == {"book_flight", "hasty", "book_hotel", "send_itinerary"}


def test_exhausted_step_hands_over(lab: Lab) -> None:
    """The rest of the ordinary way is left out, and the saga is completed."""
    end = _end(lab)

    assert end.outcome.status is Status.COMPLETED
    assert end.outcome.cause is None
    assert end.counts == {"book_flight": 1, "hasty": 2, "undo hasty": 1, "patient": 1, "after": 1}
    assert set(end.outcome.results) == {"book_flight", "patient", "after"}
    assert set(end.trace.result("after")["results"]) == {"book_flight", "patient"}


def test_exhausted_step_is_undone_before_its_escalation(lab: Lab) -> None:
    """It had its effect, and nobody knew: that must be gone before others act on the failure."""
    end = lab.settle(ESCALATING, fates={"hasty:action": {"then": "unknown"}})

    assert end.outcome.status is Status.COMPLETED
    assert end.story == ["book_flight", "hasty", "undo hasty", "patient", "after"]


def test_decline_does_not_escalate(lab: Lab) -> None:
    """A no is a no, at the first attempt or at the last."""
    for first in ([], ["fault"]):
        end = lab.settle(ESCALATING, fates={"hasty:action": {"first": first, "then": "decline"}})
        assert end.outcome.status is Status.COMPENSATED
        assert end.outcome.cause is not None
        assert (end.outcome.cause.type, end.outcome.cause.step) == ("BusinessError", "hasty")
        assert [word for word in end.story if "hasty" not in word] == ["book_flight", "undo book_flight"]


def test_declined_escalation_compensates_what_succeeded(lab: Lab) -> None:
    """In reverse: the escalation's steps, then those before the exhausted one, which is undone already."""
    end = _end(lab, after="decline")

    assert end.outcome.status is Status.COMPENSATED
    assert end.outcome.cause is not None
    assert (end.outcome.cause.type, end.outcome.cause.step) == ("BusinessError", "after")
    assert end.story == ["book_flight", _NOTHING, "patient", "undo patient", "undo book_flight"]


def test_exhausted_escalation_compensates_what_succeeded(lab: Lab) -> None:
    """It has no escalation of its own; its own undo comes first."""
    end = _end(lab, patient="fault")

    assert end.outcome.status is Status.COMPENSATED
    assert end.outcome.cause is not None
    assert (end.outcome.cause.type, end.outcome.cause.step) == ("InjectedFault", "patient")
    assert end.story == ["book_flight", _NOTHING, "undo patient (nothing)", "undo book_flight"]
    assert end.counts["undo hasty"] == 1


def test_undo_that_gives_up_escalates_nothing(lab: Lab) -> None:
    """Nobody knows whether the step has acted: nothing is built on that, and somebody must look (S4)."""
    end = _end(lab, undo_hasty="fault")

    assert end.outcome.status is Status.COMPENSATION_FAILED
    assert end.outcome.failed_compensations == ("hasty",)
    assert end.outcome.cause is not None
    assert (end.outcome.cause.type, end.outcome.cause.step) == ("InjectedFault", "hasty")
    assert end.story == ["book_flight", "undo book_flight"]
    assert "patient" not in end.counts


@pytest.mark.requires(Capability.CANCEL)
def test_cancel_on_an_escalation_compensates_what_succeeded(lab: Lab) -> None:
    """Of the escalation, and of the way before it; the exhausted step is undone already (S9)."""
    with held(lab, ESCALATING, Aim("patient", "action", Point.BEFORE_EFFECT), _EXHAUSTED) as started:
        started.cancel()
    end = started.settled()

    assert end.outcome.status is Status.COMPENSATED
    assert end.outcome.cause is not None
    assert end.outcome.cause.type == "Cancelled"
    assert "after" not in end.counts
    undone = [word for word in end.story if word.startswith("undo")]
    assert undone[0] == _NOTHING
    assert undone[1] in ("undo patient", "undo patient (nothing)")
    assert undone[2:] == ["undo book_flight"]


@pytest.mark.requires(Capability.CANCEL)
def test_cancel_during_the_undo_begins_no_escalation(lab: Lab) -> None:
    """The undo is not interrupted; then the saga goes back, and nobody goes on in the step's place (S9)."""
    with held(lab, ESCALATING, Aim("hasty", "compensation", Point.BEFORE_EFFECT), _EXHAUSTED) as started:
        started.cancel()
    end = started.settled()

    assert end.outcome.status is Status.COMPENSATED
    assert end.story == ["book_flight", _NOTHING, "undo book_flight"]
    assert end.counts == {"book_flight": 1, "hasty": 2, "undo hasty": 1, "undo book_flight": 1}


@pytest.mark.requires(Capability.SIGNALS)
def test_waits_of_the_way_that_was_left_are_over(lab: Lab) -> None:
    """A signal for one of them has come too late (S7); the wait of the escalation takes it."""
    started = lab.start(ASKING, fates=_EXHAUSTED)
    started.until_done("patient")

    with pytest.raises(SignalRejectedError):
        started.signal("asked", "to nobody", signal_id="other")
    started.signal("answer", "yes")
    end = started.settled()
    assert end.outcome.status is Status.COMPLETED
    assert end.trace.result("after")["results"].keys() == {"patient", "asked_again"}


@pytest.mark.requires(Capability.SIGNALS)
def test_waits_of_the_way_that_is_left_are_over_before_the_undo(lab: Lab) -> None:
    """Who answers while the exhausted step is undone answers the escalation."""
    with held(lab, ASKING, Aim("hasty", "compensation", Point.BEFORE_EFFECT), _EXHAUSTED) as started:
        started.signal("answer", "yes")

    end = started.settled()
    assert end.outcome.status is Status.COMPLETED
    assert end.trace.result("after")["results"].keys() == {"patient", "asked_again"}


@pytest.mark.requires(Capability.SIGNALS)
def test_waits_of_an_escalation_that_nobody_reaches_any_more_are_over(lab: Lab) -> None:
    """The last step that leads there has succeeded: a signal has come too late (S7)."""
    started = start_at(lab, ASKING, Aim("book_hotel", "action", Point.BEFORE_EFFECT))
    started.signal("answer", "yes")
    there = standing(lab, [started])
    try:
        with pytest.raises(SignalRejectedError):
            started.signal("asked_again", "to nobody", signal_id="other")
    finally:
        free(lab, there)
    end = started.settled()
    assert end.outcome.status is Status.COMPLETED
    assert set(end.outcome.results) == {"hasty", "asked", "book_hotel"}
