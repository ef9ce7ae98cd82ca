"""S2, S8: faults are retried by each step's own policy, declines never; attempts count from 1."""

from __future__ import annotations

import itertools

import pytest

from bakeoff.contract.lab import Lab, Started
from bakeoff.contract.sagas import BACKOFF, POLICIES, SINGLE, TRIP
from bakeoff.engine import Capability
from bakeoff.outcome import Status

pytestmark = pytest.mark.requires(Capability.RETRY, Capability.OUTCOME)

_FIRST_FAULTS = {f"{step}:action": {"first": ["fault"] * 3} for step in ("steady", "growing", "capped")}


def test_transient_fault_is_retried_until_it_succeeds(lab: Lab) -> None:
    """Two faults, then success: three attempts, one effect, nothing undone."""
    end = lab.settle(TRIP, fates={"book_hotel:action": {"first": ["fault", "fault"]}})

    assert end.outcome.status is Status.COMPLETED
    assert end.story == ["book_flight", "book_hotel", "book_car", "send_itinerary"]
    assert end.counts == {"book_flight": 1, "book_hotel": 3, "book_car": 1, "send_itinerary": 1}


def test_attempts_are_numbered_from_1(lab: Lab) -> None:
    """The engine's own number of an attempt is the services' number."""
    end = lab.settle(TRIP, fates={"book_car:action": {"first": ["fault", "fault"]}})

    attempts = end.trace.attempts("book_car")
    assert [attempt.ordinal for attempt in attempts] == [1, 2, 3]
    assert [attempt.attempt for attempt in attempts] == [1, 2, 3]


def test_exhausted_retries_end_the_forward_direction(lab: Lab) -> None:
    """Exactly as many attempts as the policy allows, the first included; then back."""
    end = lab.settle(TRIP, fates={"book_car:action": {"then": "fault"}})

    assert end.outcome.status is Status.COMPENSATED
    assert end.counts["book_car"] == 3
    assert "send_itinerary" not in end.counts


def test_decline_is_not_retried(lab: Lab) -> None:
    """One attempt, although the policy would allow three."""
    end = lab.settle(TRIP, fates={"book_hotel:action": {"then": "decline"}})

    assert end.outcome.status is Status.COMPENSATED
    assert end.counts["book_hotel"] == 1
    assert "book_car" not in end.counts


def test_decline_after_a_fault_is_not_retried(lab: Lab) -> None:
    """The fault is retried once, the decline that follows is final."""
    end = lab.settle(TRIP, fates={"book_hotel:action": {"first": ["fault"], "then": "decline"}})

    assert end.outcome.status is Status.COMPENSATED
    assert end.counts["book_hotel"] == 2


def test_one_attempt_means_no_retry(lab: Lab) -> None:
    """``maximum_attempts=1`` is the first try alone."""
    end = lab.settle(SINGLE, fates={"book_hotel:action": {"first": ["fault"]}})

    assert end.outcome.status is Status.COMPENSATED
    assert end.counts["book_hotel"] == 1


def test_each_step_has_its_own_number_of_attempts(lab: Lab) -> None:
    """Two for the hasty step, five for the patient one, in the same saga."""
    hasty, patient = lab.settle_all(
        [(POLICIES, {"hasty:action": {"then": "fault"}}), (POLICIES, {"patient:action": {"then": "fault"}})]
    )

    assert hasty.counts["hasty"] == 2
    assert "patient" not in hasty.counts
    assert patient.counts["hasty"] == 1
    assert patient.counts["patient"] == 5


def test_unknown_outcome_retried_gets_the_stored_result_and_goes_on(lab: Lab) -> None:
    """The effect happened, the answer was lost: the retry finds it under its key; nothing happens twice."""
    end = lab.settle(TRIP, fates={"book_hotel:action": {"first": ["unknown"]}})

    assert end.outcome.status is Status.COMPLETED
    assert end.story == ["book_flight", "book_hotel", "book_car", "send_itinerary"]
    assert end.counts["book_hotel"] == 2
    token = f"{end.started.workflow_id}/book_hotel"
    assert end.trace.result("book_hotel") == {"token": token}
    assert end.outcome.results["book_hotel"] == {"token": token}


def test_result_that_is_no_json_is_final(lab: Lab) -> None:
    """Trying again would not help: one attempt, then back, with that cause."""
    end = lab.settle(TRIP, fates={"book_car:action": {"then": "unserialisable"}})

    assert end.outcome.status is Status.COMPENSATED
    assert end.counts["book_car"] == 1
    assert end.story == ["book_flight", "book_hotel", "undo book_hotel", "undo book_flight"]


@pytest.mark.early(BACKOFF, _FIRST_FAULTS)
def test_backoff_grows_by_each_steps_own_policy(early: Started) -> None:
    """Pauses between attempts are never shorter than the policy says, step by step."""
    end = early.settled()

    assert end.outcome.status is Status.COMPLETED
    for step in ("steady", "growing", "capped"):
        at = [attempt.at for attempt in end.trace.attempts(step)]
        pauses = [later - earlier for earlier, later in itertools.pairwise(at)]
        policy = BACKOFF.step(step).retry
        wanted = [policy.delay_after(number).total_seconds() for number in (1, 2, 3)]
        # Nothing says how late a retry may be; a hundredth of a second is the clock's.
        assert all(pause >= want - 0.01 for pause, want in zip(pauses, wanted, strict=True)), (step, pauses)
    capped = [attempt.at for attempt in end.trace.attempts("capped")]
    # Without the cap the pauses would add up to 21 s.
    assert capped[-1] - capped[0] < 18
