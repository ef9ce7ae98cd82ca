"""S2: a start-to-close timeout of one attempt is a fault."""

from __future__ import annotations

import pytest

from bakeoff.contract.lab import Lab
from bakeoff.contract.sagas import POLICIES
from bakeoff.engine import Capability
from bakeoff.outcome import Status

pytestmark = pytest.mark.requires(Capability.TIMEOUT, Capability.RETRY, Capability.OUTCOME)


def test_step_that_times_out_is_retried(lab: Lab) -> None:
    """One attempt takes too long, the next one does not."""
    end = lab.settle(POLICIES, fates={"hasty:action": {"first": ["slow:2"]}})

    assert end.outcome.status is Status.COMPLETED
    assert end.counts == {"hasty": 2, "patient": 1}
    assert sorted(end.story) == ["hasty", "patient"]


def test_attempt_is_ended_at_its_timeout(lab: Lab) -> None:
    """The retry comes after the timeout, and long before the slow attempt would have ended."""
    end = lab.settle(POLICIES, fates={"hasty:action": {"first": ["slow:8"]}})

    first, second = (attempt.at for attempt in end.trace.attempts("hasty"))
    assert second - first >= 0.49
    assert second - first < 6


def test_step_within_its_timeout_is_left_alone(lab: Lab) -> None:
    """Two steps with different timeouts take equally long; only the hasty one is too slow."""
    end = lab.settle(
        POLICIES, fates={"hasty:action": {"first": ["slow:2"]}, "patient:action": {"first": ["slow:1"]}}
    )

    assert end.outcome.status is Status.COMPLETED
    assert end.counts == {"hasty": 2, "patient": 1}
    assert end.trace.effect("patient").at - end.trace.attempts("patient")[0].at >= 0.99


@pytest.mark.requires(Capability.OWN_UNDO, Capability.COMPENSATION)
def test_step_that_always_times_out_is_compensated_itself(lab: Lab) -> None:
    """Its attempts are used up, and nobody knows what they did."""
    end = lab.settle(POLICIES, fates={"hasty:action": {"then": "slow:2"}})

    assert end.outcome.status is Status.COMPENSATED
    assert end.counts == {"hasty": 2, "undo hasty": 1}
    assert end.story == ["undo hasty (nothing)"]


@pytest.mark.requires(Capability.OWN_UNDO, Capability.COMPENSATION)
def test_effect_before_the_timeout_is_undone(lab: Lab) -> None:
    """The effect was there, the answer came too late, twice."""
    end = lab.settle(POLICIES, fates={"hasty:action": {"then": "late:2"}})

    # The second attempt finds the result of the first one under its key, and then is late as well.
    assert end.outcome.status is Status.COMPENSATED
    assert end.story == ["hasty", "undo hasty"]


@pytest.mark.requires(Capability.OWN_UNDO, Capability.COMPENSATION)
def test_late_finisher_has_no_effect_after_its_compensation(lab: Lab) -> None:
    """An attempt that timed out may run on; when it wakes up it meets the tombstone."""
    end = lab.settle(POLICIES, fates={"hasty:action": {"then": "slow:1.5"}})
    last = end.trace.attempts("hasty")[-1].at

    def effect() -> object:
        return "hasty" in end.started.trace().story()

    import time

    lab.never("the late action took effect", effect, for_s=max(0.0, last + 2.0 - time.time()))
    assert end.started.trace().story() == ["undo hasty (nothing)"]
