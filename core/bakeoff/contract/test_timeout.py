"""S2: a start-to-close timeout of one attempt is a fault."""

from __future__ import annotations

import time

import pytest

from bakeoff.contract.lab import Lab, Started
from bakeoff.contract.sagas import HASTY, POLICIES
from bakeoff.engine import Capability
from bakeoff.outcome import Status

pytestmark = pytest.mark.requires(Capability.TIMEOUT, Capability.RETRY, Capability.OUTCOME)


@pytest.mark.early(POLICIES, {"hasty:action": {"first": ["slow:6"]}})
def test_step_that_times_out_is_retried(early: Started) -> None:
    """One attempt takes too long, the next one does not."""
    end = early.settled()

    assert end.outcome.status is Status.COMPLETED
    assert end.counts == {"hasty": 2, "patient": 1}
    assert sorted(end.story) == ["hasty", "patient"]


@pytest.mark.early(POLICIES, {"hasty:action": {"first": ["slow:9"]}}, with_module=True)
def test_attempt_is_ended_at_its_timeout(early: Started) -> None:
    """The retry comes after the timeout, and long before the slow attempt would have ended."""
    end = early.settled()

    first, second = (attempt.at for attempt in end.trace.attempts("hasty"))
    # A bridge gives its service three quarters of it; and an attempt may be noted after its clock began.
    assert second - first >= HASTY.total_seconds() / 2
    assert second - first < 8


@pytest.mark.early(
    POLICIES,
    {"hasty:action": {"first": ["slow:6"]}, "patient:action": {"first": ["slow:3"]}},
)
def test_step_within_its_timeout_is_left_alone(early: Started) -> None:
    """What is too slow for the hasty step is not for the patient one."""
    end = early.settled()

    assert end.outcome.status is Status.COMPLETED
    assert end.counts == {"hasty": 2, "patient": 1}
    assert end.trace.effect("patient").at - end.trace.attempts("patient")[0].at >= 2.9


@pytest.mark.requires(Capability.OWN_UNDO, Capability.COMPENSATION)
@pytest.mark.early(POLICIES, {"hasty:action": {"then": "slow:6"}}, with_module=True)
def test_step_that_always_times_out_is_compensated_itself(early: Started) -> None:
    """Its attempts are used up, and nobody knows what they did."""
    end = early.settled()

    assert end.outcome.status is Status.COMPENSATED
    assert end.counts == {"hasty": 2, "undo hasty": 1}
    assert end.story == ["undo hasty (nothing)"]


@pytest.mark.requires(Capability.OWN_UNDO, Capability.COMPENSATION)
@pytest.mark.early(POLICIES, {"hasty:action": {"then": "late:6"}}, with_module=True)
def test_effect_before_the_timeout_is_undone(early: Started) -> None:
    """The effect was there, the answer came too late, twice."""
    end = early.settled()

    # The second attempt finds the result of the first one under its key, and then is late as well.
    assert end.outcome.status is Status.COMPENSATED
    assert end.story == ["hasty", "undo hasty"]


@pytest.mark.requires(Capability.OWN_UNDO, Capability.COMPENSATION)
@pytest.mark.early(POLICIES, {"hasty:action": {"then": "slow:6"}}, with_module=True)
@pytest.mark.late
def test_late_finisher_has_no_effect_after_its_compensation(lab: Lab, early: Started) -> None:
    """An attempt that timed out may run on; when it wakes up it meets the tombstone."""
    end = early.settled()
    last = end.trace.attempts("hasty")[-1].at

    def effect() -> object:
        return "hasty" in end.started.trace().story()

    lab.never("the late action took effect", effect, for_s=max(0.0, last + 6.4 - time.time()))
    assert end.started.trace().story() == ["undo hasty (nothing)"]
