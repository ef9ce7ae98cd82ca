"""S5: three terminal outcomes, each with its cause; and the engine's word is the ledger's (I10)."""

from __future__ import annotations

import pytest

from bakeoff.contract.lab import Lab, Settled, Started
from bakeoff.contract.sagas import POLICIES, TRIP, WITNESS
from bakeoff.contract.strike import held
from bakeoff.engine import Capability
from bakeoff.errors import ResultTimeoutError, WorkflowNotFoundError
from bakeoff.outcome import Status
from bakeoff.world import Aim, Point

pytestmark = pytest.mark.requires(Capability.OUTCOME)


def test_cause_of_a_decline(lab: Lab) -> None:
    """Type, message and step of the exception that ended the forward direction."""
    cause = lab.settle(TRIP, fates={"book_car:action": {"then": "decline"}}).outcome.cause

    assert cause is not None
    assert (cause.type, cause.step) == ("BusinessError", "book_car")
    assert "book_car declined" in cause.message


def test_cause_of_exhausted_retries(lab: Lab) -> None:
    """It is the last attempt's exception."""
    cause = lab.settle(TRIP, fates={"book_hotel:action": {"then": "fault"}}).outcome.cause

    assert cause is not None
    assert (cause.type, cause.step) == ("InjectedFault", "book_hotel")
    assert "book_hotel failed" in cause.message


def test_cause_of_a_result_that_is_no_json(lab: Lab) -> None:
    """It has a name of its own."""
    cause = lab.settle(TRIP, fates={"book_hotel:action": {"then": "unserialisable"}}).outcome.cause

    assert cause is not None
    assert (cause.type, cause.step) == ("UnserialisableError", "book_hotel")


@pytest.mark.requires(Capability.TIMEOUT)
@pytest.mark.early(POLICIES, {"hasty:action": {"then": "slow:6"}})
def test_cause_of_a_timeout(early: Started) -> None:
    """It names the step, and time."""
    cause = early.settled().outcome.cause

    assert cause is not None
    assert cause.step == "hasty"
    assert "time" in f"{cause.type} {cause.message}".lower()


def test_completed_saga_has_results_and_no_cause(lab: Lab) -> None:
    """The results of all steps, as the services stored them."""
    end = lab.settle(WITNESS)

    assert end.outcome.cause is None
    assert end.outcome.failed_compensations == ()
    assert dict(end.outcome.results) == {
        step: end.trace.result(step) for step in ("first", "second", "third")
    }


def test_outcome_can_be_asked_again(lab: Lab) -> None:
    """The second answer is the first one."""
    end = lab.settle(TRIP, fates={"book_car:action": {"then": "decline"}})

    assert end.started.outcome() == end.outcome


def test_result_of_a_saga_that_nobody_started(lab: Lab) -> None:
    """Not found, rather than an endless wait."""
    stranger = lab.prepare(TRIP)

    with pytest.raises(WorkflowNotFoundError):
        stranger.outcome()


def test_result_of_a_running_saga_times_out(lab: Lab) -> None:
    """The caller's patience ends, the saga does not."""
    here = Aim("book_flight", "action", Point.BEFORE_EFFECT)
    with held(lab, TRIP, here) as started, pytest.raises(ResultTimeoutError):
        started.outcome(timeout_s=0.1)
    assert started.outcome().status is Status.COMPLETED


def test_the_engines_word_is_the_ledgers(lab: Lab) -> None:
    """Sagas of every kind at once: what each one is called is what happened to it."""
    itinerary, car = "send_itinerary:action", "book_car:action"
    ends = lab.settle_all(
        [
            (TRIP, {}),
            (TRIP, {car: {"first": ["unknown", "fault"]}}),
            (TRIP, {car: {"then": "decline"}}),
            (TRIP, {car: {"then": "unknown"}}),
            (TRIP, {itinerary: {"then": "fault"}, "book_car:compensation": {"first": ["fault"]}}),
            (TRIP, {itinerary: {"then": "decline"}, "book_car:compensation": {"then": "fault"}}),
            (TRIP, {itinerary: {"then": "fault"}, "book_flight:compensation": {"then": "fault"}}),
        ]
    )

    assert [end.outcome.status for end in ends] == [_in_the_ledger(end) for end in ends]
    assert {end.outcome.status for end in ends} == {
        Status.COMPLETED,
        Status.COMPENSATED,
        Status.COMPENSATION_FAILED,
    }
    for end in ends:
        assert sorted(end.outcome.failed_compensations) == sorted(_left_standing(end))


def _left_standing(end: Settled) -> list[str]:
    """Steps with an effect that was attempted to be undone, and was not."""
    attempted = {r.step for r in end.trace.records if r.kind == "attempt" and r.direction == "compensation"}
    return [step for step in attempted if not {f"undo {step}", f"undo {step} (nothing)"} & set(end.story)]


def _in_the_ledger(end: Settled) -> Status:
    if "send_itinerary" in end.story:
        return Status.COMPLETED
    return Status.COMPENSATION_FAILED if _left_standing(end) else Status.COMPENSATED
