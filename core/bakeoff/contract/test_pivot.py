"""The point of no return: compensation before it, patience at it and after it (I9)."""

from __future__ import annotations

import pytest

from bakeoff.contract.lab import Lab, Started
from bakeoff.contract.sagas import PIVOT
from bakeoff.engine import Capability
from bakeoff.outcome import Status

pytestmark = pytest.mark.requires(Capability.PIVOT, Capability.OUTCOME)

_ALL = ["book_flight", "book_hotel", "pay", "issue_ticket", "send_itinerary"]
#: More faults than the policy of these steps (two attempts) would bear before the pivot.
_STUBBORN = ["fault"] * 4


def test_failure_before_the_pivot_is_compensated(lab: Lab) -> None:
    """Up to there a saga with a pivot is like any other."""
    end = lab.settle(PIVOT, fates={"book_hotel:action": {"then": "decline"}})

    assert end.outcome.status is Status.COMPENSATED
    assert end.story == ["book_flight", "undo book_flight"]


def test_decline_at_the_pivot_is_compensated(lab: Lab) -> None:
    """The pivot itself was purely declined, so it is not undone."""
    end = lab.settle(PIVOT, fates={"pay:action": {"then": "decline"}})

    assert end.outcome.status is Status.COMPENSATED
    assert end.story == ["book_flight", "book_hotel", "undo book_hotel", "undo book_flight"]
    assert end.counts["pay"] == 1


@pytest.mark.requires(Capability.RETRY, Capability.OWN_UNDO)
def test_decline_at_the_pivot_after_a_fault_undoes_the_pivot_too(lab: Lab) -> None:
    """Its faulted attempt may have had an effect."""
    end = lab.settle(PIVOT, fates={"pay:action": {"first": ["fault", "fault", "fault"], "then": "decline"}})

    assert end.outcome.status is Status.COMPENSATED
    assert end.counts["pay"] == 4
    assert end.story[2:] == ["undo pay (nothing)", "undo book_hotel", "undo book_flight"]


@pytest.mark.requires(Capability.RETRY)
@pytest.mark.early(PIVOT, {"pay:action": {"first": _STUBBORN}})
def test_faults_at_the_pivot_are_retried_beyond_its_policy(early: Started) -> None:
    """Two attempts are in its policy, five are made."""
    end = early.settled()

    assert end.outcome.status is Status.COMPLETED
    assert end.story == _ALL
    assert end.counts["pay"] == 5


@pytest.mark.requires(Capability.RETRY)
@pytest.mark.parametrize("step", ["issue_ticket", "send_itinerary"])
def test_faults_after_the_pivot_are_retried_and_nothing_is_compensated(lab: Lab, step: str) -> None:
    """Whatever it takes, there is no way back."""
    end = lab.settle(PIVOT, fates={f"{step}:action": {"first": _STUBBORN}})

    assert end.outcome.status is Status.COMPLETED
    assert end.story == _ALL
    assert end.counts[step] == 5


@pytest.mark.requires(Capability.RETRY)
def test_decline_after_the_pivot_is_retried(lab: Lab) -> None:
    """Nobody can decline what has been decided: it counts as a fault."""
    end = lab.settle(PIVOT, fates={"issue_ticket:action": {"first": ["decline", "decline", "decline"]}})

    assert end.outcome.status is Status.COMPLETED
    assert end.story == _ALL
    assert end.counts["issue_ticket"] == 4


@pytest.mark.requires(Capability.RETRY)
def test_unfinished_step_after_the_pivot_is_neither_given_up_nor_undone(lab: Lab) -> None:
    """It is attempted again and again; meanwhile the saga is not settled and nothing is undone."""
    started = lab.start(PIVOT, fates={"issue_ticket:action": {"first": ["fault"] * 5}})
    trace = started.until_attempted("issue_ticket", 5)

    assert not [word for word in trace.story() if word.startswith("undo")]
    end = started.settled()
    assert end.outcome.status is Status.COMPLETED
    assert end.story == _ALL
