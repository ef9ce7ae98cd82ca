"""The prediction, by hand-computed cases; the contract's property test drives it against a real engine."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bakeoff.contract.sagas import CONDITIONAL, ESCALATING, REMINDED
from bakeoff.errors import UsageError
from bakeoff.expectation import Expectation, Facts, FatePlan, drawn_fates, expect
from bakeoff.orders import (
    NOOP,
    ORDER,
    ORDER_APPROVAL,
    ORDER_APPROVAL_TIMEOUT,
    ORDER_DELAYED,
    ORDER_PARALLEL,
    ORDER_PIVOT,
)
from bakeoff.outcome import Status
from bakeoff.saga import JSON, Call, RetryPolicy, Saga, Sleep, Step
from bakeoff.world import USUAL, Profile


def test_order_completes_with_every_step_once() -> None:
    expected = expect(ORDER, {})

    assert expected.status is Status.COMPLETED
    assert set(expected.attempts.values()) == {1}
    assert expected.closing == {("outcome", "send_confirmation", "action", 1)}


def test_decline_is_not_retried_and_not_undone_itself() -> None:
    expected = expect(ORDER, {"charge_payment:action": {"then": "decline"}})

    assert expected.causes == {("BusinessError", "charge_payment")}
    assert expected.attempts == {
        ("reserve_inventory", "action"): 1,
        ("charge_payment", "action"): 1,
        ("reserve_inventory", "compensation"): 1,
    }


def test_decline_after_a_fault_is_undone_itself() -> None:
    expected = expect(ORDER, {"charge_payment:action": {"first": ["unknown"], "then": "decline"}})

    assert ("charge_payment", "compensation") in expected.attempts
    assert expected.effects[1] == {("charge_payment", "action", "effect")}
    assert expected.effects[2] == {("charge_payment", "compensation", "effect")}


def test_exhausted_retries_undo_a_step_that_did_nothing() -> None:
    expected = expect(ORDER, {"create_shipment:action": {"then": "fault"}})

    assert expected.attempts["create_shipment", "action"] == 3
    assert expected.effects[2] == {("create_shipment", "compensation", "nothing")}


def test_unknown_outcome_that_is_retried_goes_on_with_the_stored_result() -> None:
    expected = expect(ORDER, {"charge_payment:action": {"first": ["unknown"]}})

    assert expected.status is Status.COMPLETED
    assert expected.attempts["charge_payment", "action"] == 2
    assert expected.repeats == 1


def test_step_that_may_act_after_its_timeout_is_undone_either_way() -> None:
    expected = expect(ORDER, {"create_shipment:action": {"then": "slow:8.0"}})

    assert expected.causes == {("TimeoutError", "create_shipment")}
    assert ("create_shipment", "action", "either") in expected.effects[2]


def test_compensation_that_gives_up_does_not_stop_the_others() -> None:
    fates = {
        "create_shipment:action": {"then": "decline"},
        "charge_payment:compensation": {"then": "decline"},
    }
    expected = expect(ORDER, fates)

    assert expected.status is Status.COMPENSATION_FAILED
    assert expected.failed_compensations == {"charge_payment"}
    assert expected.attempts["charge_payment", "compensation"] == 10
    assert expected.attempts["reserve_inventory", "compensation"] == 1


def test_after_the_pivot_a_decline_is_retried_until_it_succeeds() -> None:
    expected = expect(ORDER_PIVOT, {"send_confirmation:action": {"first": ["decline"] * 7}})

    assert expected.status is Status.COMPLETED
    assert expected.attempts["send_confirmation", "action"] == 8


def test_at_the_pivot_a_decline_still_compensates() -> None:
    expected = expect(ORDER_PIVOT, {"capture_payment:action": {"then": "decline"}})

    assert expected.status is Status.COMPENSATED
    assert [set(group) for group in expected.effects[-3:]] == [
        {(step, "compensation", "effect")}
        for step in ("create_shipment", "authorize_payment", "reserve_inventory")
    ]


def test_fault_without_end_after_the_pivot_never_settles() -> None:
    assert expect(ORDER_PIVOT, {"send_confirmation:action": {"then": "fault"}}).status is None


def test_members_of_a_group_settle_before_it_fails_and_are_undone_together() -> None:
    expected = expect(ORDER_PARALLEL, {"reserve_east:action": {"then": "decline"}})

    assert expected.causes == {("BusinessError", "reserve_east")}
    assert [set(group) for group in expected.effects] == [
        {("reserve_west", "action", "effect")},
        {("reserve_west", "compensation", "effect")},
    ]


def test_wait_without_signal_times_out_or_waits_for_ever() -> None:
    assert expect(ORDER_APPROVAL, {}).status is None
    expected = expect(ORDER_APPROVAL_TIMEOUT, {})
    assert expected.causes == {("WaitTimeout", "approval")}
    assert expected.closing == {("outcome", "reserve_inventory", "compensation", 1)}
    approved = expect(ORDER_APPROVAL, {}, Facts(signals=frozenset({"approval"})))
    assert approved.status is Status.COMPLETED


def test_cancel_during_a_step_takes_effect_after_it() -> None:
    expected = expect(ORDER, {}, Facts(cancelled_during="charge_payment"))

    assert expected.causes == {("Cancelled", "")}
    assert ("create_shipment", "action") not in expected.attempts
    assert ("charge_payment", "compensation") in expected.attempts


@pytest.mark.parametrize("during", ["capture_payment", "send_confirmation"])
def test_cancel_from_the_pivot_on_has_no_effect(during: str) -> None:
    assert expect(ORDER_PIVOT, {}, Facts(cancelled_during=during)).status is Status.COMPLETED


def test_cancel_during_a_timer_interrupts_it() -> None:
    expected = expect(ORDER_DELAYED, {}, Facts(cancelled_during="cooling_off"))

    assert expected.attempts == {
        ("reserve_inventory", "action"): 1,
        ("reserve_inventory", "compensation"): 1,
    }


def test_cancel_during_a_failing_step_is_no_prediction() -> None:
    with pytest.raises(ValueError, match="race"):
        expect(ORDER, {"charge_payment:action": {"then": "fault"}}, Facts(cancelled_during="charge_payment"))


def test_ledger_cannot_tell_the_end_of_a_saga_that_ends_with_a_timer() -> None:
    def act(call: Call) -> None: ...

    saga = Saga("naps", (Step(name="act", action=act), Sleep(name="nap", duration=timedelta(seconds=1))))

    assert not expect(saga, {}).ledger_tells
    assert expect(NOOP, {}).ledger_tells


def test_compensation_without_limit_that_always_fails_never_settles() -> None:
    def act(call: Call) -> None: ...

    def undo(call: Call) -> None: ...

    stubborn = Step(
        name="act", action=act, compensation=undo, compensation_retry=RetryPolicy(maximum_attempts=None)
    )
    saga = Saga("stubborn", (stubborn, Step(name="refuse", action=act)))
    fates = {"refuse:action": {"then": "decline"}, "act:compensation": {"then": "fault"}}

    assert expect(saga, fates).status is None


@pytest.mark.parametrize("saga", [ORDER, ORDER_PIVOT, ORDER_PARALLEL])
def test_both_implementations_draw_the_same_fates(saga: Saga) -> None:
    usual: dict[str, Any] = dict(USUAL)
    profile = Profile(seed=11, **usual)
    kinds = set()
    for number in range(2000):
        workflow_id = f"order-{number}"
        drawn = {
            f"{step.name}:action": fate
            for step in saga.steps()
            if (fate := profile.fate(workflow_id, step.name, step.timeout.total_seconds()))
        }
        assert drawn_fates(profile.to_json(), workflow_id, saga) == drawn
        kinds |= {str(fate) for fate in drawn.values()}

    assert len(kinds) >= 6  # every kind of fault has been drawn


def test_expectation_survives_its_storage() -> None:
    fates: dict[str, FatePlan] = {
        "create_shipment:action": {"first": ["unknown"], "then": "fault"},
        "charge_payment:compensation": {"then": "fault"},
    }
    expected = expect(ORDER, fates)

    assert Expectation.from_json(expected.to_json()) == expected


def test_cancel_during_the_last_step_still_compensates_without_a_pivot() -> None:
    expected = expect(ORDER, {}, Facts(cancelled_during="send_confirmation"))

    assert expected.status is Status.COMPENSATED
    assert ("send_confirmation", "action", "effect") in expected.effects[3]


# -- conditions and escalations ------------------------------------------------------------------


def test_what_is_not_due_leaves_nothing() -> None:
    end = expect(CONDITIONAL, {}, Facts(input={"wanted": ["book_hotel", "right"]}))

    assert end.status is Status.COMPLETED
    assert {step for step, _ in end.attempts} == {"book_hotel", "right", "book_car"}
    assert not end.ledger_tells, "the last step was left out, which no record tells"


def test_a_condition_that_raises_compensates() -> None:
    end = expect(CONDITIONAL, {}, Facts(input={}))

    assert (end.status, end.causes) == (
        Status.COMPENSATED,
        frozenset({("ConditionError", "book_flight")}),
    )
    assert not end.attempts


def test_a_reminder_is_sent_only_where_nobody_answered() -> None:
    late = expect(REMINDED, {}, Facts(signals=frozenset({"asked_again"})))
    soon = expect(REMINDED, {}, Facts(signals=frozenset({"asked"}), payloads={"asked": "yes"}))

    assert ("book_hotel", "action") in late.attempts
    assert ("book_hotel", "action") not in soon.attempts
    assert (late.status, soon.status) == (Status.COMPLETED, Status.COMPLETED)


def test_a_condition_on_what_a_step_returned_must_be_told() -> None:
    reading = Saga(
        "reading",
        (
            Step(name="first", action=_nothing),
            Step(name="second", action=_nothing, when=lambda input, results: results["first"] == 1),
        ),
    )

    with pytest.raises(UsageError, match="holds"):
        expect(reading, {})
    assert ("second", "action") in expect(reading, {}, Facts(holds=frozenset({"second"}))).attempts
    assert ("second", "action") not in expect(reading, {}, Facts(skips=frozenset({"second"}))).attempts


def _nothing(call: Call) -> JSON:
    return None


def test_an_exhausted_step_is_undone_and_escalates() -> None:
    end = expect(ESCALATING, {"hasty:action": {"then": "fault"}})

    assert (end.status, end.exhausted, end.causes) == (Status.COMPLETED, "hasty", frozenset())
    assert [sorted(group) for group in end.effects] == [
        [("book_flight", "action", "effect")],
        [("hasty", "compensation", "nothing")],
        [("patient", "action", "effect")],
        [("after", "action", "effect")],
    ]


def test_nobody_escalates_who_is_not_exhausted() -> None:
    well = expect(ESCALATING, {"hasty:action": {"first": ["fault"]}})
    declined = expect(ESCALATING, {"hasty:action": {"first": ["fault"], "then": "decline"}})

    assert [step for step, _ in well.attempts] == ["book_flight", "hasty", "book_hotel", "send_itinerary"]
    assert (declined.status, declined.exhausted) == (Status.COMPENSATED, None)


def test_an_escalation_that_fails_compensates_what_succeeded() -> None:
    end = expect(ESCALATING, {"hasty:action": {"then": "fault"}, "after:action": {"then": "decline"}})

    assert (end.status, end.causes) == (Status.COMPENSATED, frozenset({("BusinessError", "after")}))
    undone = [step for group in end.effects for step, direction, _ in group if direction == "compensation"]
    assert undone == ["hasty", "patient", "book_flight"]


def test_an_undo_that_gives_up_escalates_nothing() -> None:
    fates = {"hasty:action": {"then": "fault"}, "hasty:compensation": {"then": "fault"}}
    end = expect(ESCALATING, fates)

    assert (end.status, end.failed_compensations) == (Status.COMPENSATION_FAILED, frozenset({"hasty"}))
    assert ("patient", "action") not in end.attempts
