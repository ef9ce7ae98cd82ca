"""Steps at once: all settle before the saga goes on or back."""

from __future__ import annotations

import pytest

from bakeoff.contract.lab import Lab, Started
from bakeoff.contract.sagas import PARALLEL
from bakeoff.engine import Capability
from bakeoff.outcome import Status

pytestmark = pytest.mark.requires(Capability.PARALLEL, Capability.OUTCOME)

_MEMBERS = ("left", "middle", "right")


@pytest.mark.early(PARALLEL, {"middle:action": {"first": ["late:0.4"]}})
def test_all_members_are_done_before_the_saga_goes_on(early: Started) -> None:
    """The slowest member decides when the next step starts; it sees the results of all."""
    end = early.settled()

    assert end.outcome.status is Status.COMPLETED
    assert end.story[0] == "book_flight"
    assert sorted(end.story[1:4]) == sorted(_MEMBERS)
    assert end.story[4:] == ["after"]
    assert end.trace.attempts("after")[0].at - end.trace.effect("middle").at >= 0.39
    assert sorted(end.trace.result("after")["results"]) == ["book_flight", *_MEMBERS]


def test_members_act_at_once(lab: Lab) -> None:
    """Three slow members: each is attempted before any of them took effect."""
    end = lab.settle(PARALLEL, fates={f"{name}:action": {"first": ["slow:4"]} for name in _MEMBERS})

    assert end.outcome.status is Status.COMPLETED
    attempted = max(end.trace.attempts(name)[0].at for name in _MEMBERS)
    assert attempted < min(end.trace.effect(name).at for name in _MEMBERS)


@pytest.mark.early(PARALLEL, {"book_flight:action": {"first": ["late:0.4"]}})
def test_a_group_starts_only_after_the_step_before_it(early: Started) -> None:
    """A group is one element of the saga's order."""
    end = early.settled()

    done = end.trace.effect("book_flight").at
    assert all(end.trace.attempts(name)[0].at - done >= 0.39 for name in _MEMBERS)


@pytest.mark.requires(Capability.COMPENSATION)
@pytest.mark.early(PARALLEL, {"left:action": {"then": "decline"}, "right:action": {"first": ["slow:0.6"]}})
def test_a_declined_member_waits_for_its_siblings_before_compensation(early: Started) -> None:
    """The slow sibling finishes first; only then everything that succeeded is undone."""
    end = early.settled()

    assert end.outcome.status is Status.COMPENSATED
    assert end.outcome.cause is not None
    assert end.outcome.cause.step == "left"
    assert sorted(end.story[1:3]) == ["middle", "right"]
    assert sorted(end.story[3:5]) == ["undo middle", "undo right"]
    assert end.story[5:] == ["undo book_flight"]
    assert "after" not in end.counts


@pytest.mark.requires(Capability.COMPENSATION, Capability.OWN_UNDO, Capability.RETRY)
def test_several_members_fail(lab: Lab) -> None:
    """Each is undone by its own rule: faulted yes, declined no, succeeded yes."""
    end = lab.settle(PARALLEL, fates={"left:action": {"then": "fault"}, "middle:action": {"then": "decline"}})

    assert end.outcome.status is Status.COMPENSATED
    assert end.outcome.cause is not None
    assert end.outcome.cause.step in ("left", "middle")
    assert sorted(end.story[2:4]) == ["undo left (nothing)", "undo right"]
    assert end.story[4:] == ["undo book_flight"]
    assert end.counts["left"] == 3
    assert end.counts["middle"] == 1
    assert "undo middle" not in end.counts


@pytest.mark.requires(Capability.RETRY)
def test_a_member_is_retried_alone(lab: Lab) -> None:
    """Its siblings do not act again."""
    end = lab.settle(PARALLEL, fates={"right:action": {"first": ["fault", "fault"]}})

    assert end.outcome.status is Status.COMPLETED
    assert end.counts == {"book_flight": 1, "left": 1, "middle": 1, "right": 3, "after": 1}


@pytest.mark.requires(Capability.COMPENSATION)
def test_a_failure_after_the_group_undoes_all_members_first(lab: Lab) -> None:
    """In any order among themselves, but before the step in front of the group."""
    end = lab.settle(PARALLEL, fates={"after:action": {"then": "decline"}})

    assert end.outcome.status is Status.COMPENSATED
    assert sorted(end.story[4:7]) == sorted(f"undo {name}" for name in _MEMBERS)
    assert end.story[7:] == ["undo book_flight"]


@pytest.mark.requires(Capability.COMPENSATION)
def test_a_members_compensation_that_gives_up_is_named(lab: Lab) -> None:
    """It stops neither its siblings' undos nor the ones before the group."""
    end = lab.settle(
        PARALLEL, fates={"after:action": {"then": "decline"}, "middle:compensation": {"then": "fault"}}
    )

    assert end.outcome.status is Status.COMPENSATION_FAILED
    assert end.outcome.failed_compensations == ("middle",)
    assert sorted(end.story[4:6]) == ["undo left", "undo right"]
    assert end.story[6:] == ["undo book_flight"]
