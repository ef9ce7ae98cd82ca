"""``when``: what is not due is left out, as if it had never been in the definition (S1)."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bakeoff.contract.lab import Fates, Lab, Settled
from bakeoff.contract.sagas import CONDITIONAL, REMINDED, RESTED
from bakeoff.contract.strike import free, held, standing, start_at
from bakeoff.engine import Capability
from bakeoff.errors import SignalRejectedError
from bakeoff.outcome import Status
from bakeoff.world import Aim, Point

pytestmark = pytest.mark.requires(Capability.CONDITIONS, Capability.OUTCOME)

_ALL = ("book_flight", "book_hotel", "left", "right", "approved", "after")
#: What waits for no signal.
_STEPS = tuple(name for name in _ALL if name != "approved")
_REMINDER = pytest.mark.requires(Capability.SIGNALS, Capability.WAIT_TIMEOUT)


def _end(lab: Lab, wanted: Sequence[str], fates: Fates | None = None) -> Settled:
    return lab.settle(CONDITIONAL, {"wanted": list(wanted)}, fates=fates)


def test_step_acts_where_its_condition_holds(lab: Lab) -> None:
    """With every condition met it is a saga like any other."""
    end = _end(lab, _STEPS)

    assert end.outcome.status is Status.COMPLETED
    assert end.counts == dict.fromkeys((*_STEPS, "book_car"), 1)


def test_step_that_is_not_due_leaves_nothing(lab: Lab) -> None:
    """Neither an attempt nor a result."""
    end = _end(lab, ["book_hotel", "left", "right", "after"])

    assert end.outcome.status is Status.COMPLETED
    assert end.counts == dict.fromkeys(("book_hotel", "left", "right", "book_car", "after"), 1)
    assert "book_flight" not in end.outcome.results
    assert "book_flight" not in end.trace.result("after")["results"]


@pytest.mark.parametrize(
    "wanted", [[], ["book_flight", "book_hotel"], ["after"]], ids=["none", "first", "last"]
)
def test_saga_settles_whatever_is_left_out(lab: Lab, wanted: Sequence[str]) -> None:
    """The first, the last, several in a row, a whole group."""
    end = _end(lab, wanted)

    assert end.outcome.status is Status.COMPLETED
    assert set(end.counts) == {*wanted, "book_car"}


def test_member_of_a_group_is_left_out_alone(lab: Lab) -> None:
    """Its sibling acts."""
    end = _end(lab, ["right", "after"])

    assert end.outcome.status is Status.COMPLETED
    assert end.counts == {"right": 1, "book_car": 1, "after": 1}
    assert "left" not in end.trace.result("after")["results"]


def test_nothing_that_was_left_out_is_compensated(lab: Lab) -> None:
    """Only what acted is undone."""
    declined: Fates = {"book_car:action": {"then": "decline"}}
    end = _end(lab, ["book_hotel", "left"], declined)

    assert end.outcome.status is Status.COMPENSATED
    assert end.story == ["book_hotel", "left", "undo left", "undo book_hotel"]


def test_nothing_is_compensated_where_nothing_acted(lab: Lab) -> None:
    """All that stands before the decline was left out."""
    end = _end(lab, [], {"book_car:action": {"then": "decline"}})

    assert end.outcome.status is Status.COMPENSATED
    assert end.story == []


@pytest.mark.requires(Capability.SIGNALS)
def test_wait_that_is_due_waits(lab: Lab) -> None:
    """Its condition holds, so nothing goes on without the signal."""
    started = lab.start(CONDITIONAL, {"wanted": list(_ALL)})
    started.until_done("right")

    lab.never("it went on", lambda: started.trace().attempts("book_car"), for_s=0.3)
    started.signal("approved", "yes")
    end = started.settled()
    assert end.outcome.status is Status.COMPLETED
    assert end.trace.result("after")["results"]["approved"] == "yes"


@pytest.mark.requires(Capability.SIGNALS)
def test_signal_for_a_wait_that_was_left_out_is_rejected(lab: Lab) -> None:
    """Nobody will take it: it must not vanish in silence (S7)."""
    here, wanted = Aim("book_car", "action", Point.BEFORE_EFFECT), list(_STEPS)
    with (
        held(lab, CONDITIONAL, here, input={"wanted": wanted}) as started,
        pytest.raises(SignalRejectedError),
    ):
        started.signal("approved")
    assert started.settled().outcome.status is Status.COMPLETED


def test_condition_that_raises_ends_the_saga(lab: Lab) -> None:
    """It would raise again: no retry, a cause with a name, and what acted is undone."""
    end = lab.settle(CONDITIONAL, {})

    assert end.outcome.status is Status.COMPENSATED
    assert end.outcome.cause is not None
    assert (end.outcome.cause.type, end.outcome.cause.step) == ("ConditionError", "book_flight")
    assert end.story == []


@_REMINDER
def test_reminder_is_sent_when_nobody_answered(lab: Lab) -> None:
    """The first wait has timed out: its result is nothing, and that the conditions see."""
    started = lab.start(REMINDED)
    started.until_done("book_hotel")
    started.signal("answer", "late")
    end = started.settled()

    assert end.outcome.status is Status.COMPLETED
    assert end.story == ["book_flight", "book_hotel", "after"]
    results = end.trace.result("after")["results"]
    assert (results["asked"], results["asked_again"]) == (None, "late")


@_REMINDER
def test_no_reminder_for_who_answered(lab: Lab) -> None:
    """The signal comes before the saga asks, so the first wait takes it."""
    with held(lab, REMINDED, Aim("book_flight", "action", Point.BEFORE_EFFECT)) as started:
        started.signal("answer", "soon")
    end = started.settled()

    assert end.outcome.status is Status.COMPLETED
    assert end.story == ["book_flight", "after"]
    results = end.trace.result("after")["results"]
    assert results["asked"] == "soon"
    assert "asked_again" not in results


@_REMINDER
def test_repeated_answer_finds_the_wait_that_took_it(lab: Lab) -> None:
    """The same signal id, after the second wait took it, is a repetition and no second answer."""
    started = start_at(lab, REMINDED, Aim("after", "action", Point.BEFORE_EFFECT))
    started.until_done("book_hotel")

    assert started.signal("answer", "late", signal_id="s1") is True
    there = standing(lab, [started])
    try:
        assert started.signal("answer", "late", signal_id="s1") is False
    finally:
        free(lab, there)
    assert started.settled().outcome.status is Status.COMPLETED


@pytest.mark.requires(Capability.TIMERS)
def test_condition_sees_the_timers_before_it(lab: Lab) -> None:
    """Their result is ``None``, but it is there."""
    end = lab.settle(RESTED)

    assert end.outcome.status is Status.COMPLETED
    assert end.story == ["book_flight", "book_hotel", "after"]
