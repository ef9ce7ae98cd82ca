"""How a saga is led to a point, and which of its ends is as good as the planned one."""

from __future__ import annotations

import pytest

from bakeoff.orders import ORDER, ORDER_APPROVAL, ORDER_DELAYED, ORDER_PARALLEL, ORDER_PIVOT
from bakeoff.outcome import Status
from bakeoff.saga import Saga
from bakeoff.world import Aim, Fate, Point, Window
from bakeoff_bench.crash.points import points_of
from bakeoff_bench.crash.road import choose_end, plan_saga, road_to
from tests.crash.kills import some_orders
from tests.run.evidence_builder import Told, done, ledger_of, undone

DECLINE: Fate = {"then": "decline"}


@pytest.mark.parametrize(
    ("saga", "point", "fates"),
    [
        (ORDER, "charge_payment.after_effect", {}),
        (ORDER, "refund_payment.after_effect", {"send_confirmation:action": DECLINE}),
        (ORDER_PIVOT, "void_payment.before_effect", {"capture_payment:action": DECLINE}),
        (ORDER_PARALLEL, "release_east.before_effect", {"send_confirmation:action": DECLINE}),
        (ORDER, "charge_payment.while_retrying", {"charge_payment:action": {"first": ["fault"] * 2}}),
        (
            ORDER_PIVOT,
            "send_confirmation.while_retrying",
            {"send_confirmation:action": {"first": ["fault"] * 4}},
        ),
        (
            ORDER,
            "refund_payment.while_retrying",
            {
                "send_confirmation:action": DECLINE,
                "charge_payment:compensation": {"first": ["fault"] * 4},
            },
        ),
    ],
)
def test_what_a_saga_suffers_to_get_there(saga: Saga, point: str, fates: dict[str, Fate]) -> None:
    assert road_to(saga, points_of(saga)[point]).fates == fates


def test_a_compensation_of_the_last_step_needs_an_outcome_that_nobody_knows() -> None:
    """No step after it can decline, so its effect is made, not confirmed, and then declined."""
    reserve, charge, *_ = ORDER.elements
    saga = Saga("two", (reserve, charge))
    aim = Aim("charge_payment", "compensation", Point.AFTER_EFFECT)

    road = road_to(saga, aim)
    planned = plan_saga(saga, next(some_orders(1)), road)

    assert road.fates == {"charge_payment:action": {"first": ["unknown"], "then": "decline"}}
    assert planned.expected.status is Status.COMPENSATED
    assert ("charge_payment", "compensation", "effect") in planned.expected.effects[
        1
    ] | planned.expected.effects[2]


def test_a_window_behind_a_failure_needs_a_decline() -> None:
    aim = Aim("charge_payment", "action", "failure_stored")

    assert road_to(ORDER, aim, [Window(aim, "stored", after="decline")]).fates == {
        "charge_payment:action": DECLINE
    }
    assert road_to(ORDER, aim, [Window(aim, "stored")]).fates == {}


@pytest.mark.parametrize(
    ("saga", "point", "stage"),
    [
        (ORDER, "charge_payment.after_effect", None),
        (ORDER_APPROVAL, "approval.while_waiting", None),
        (ORDER, "during_start", None),
        (ORDER, "charge_payment.while_retrying", Aim("charge_payment", "action", Point.BETWEEN_STEPS)),
        (ORDER_DELAYED, "cooling_off.while_waiting", Aim("reserve_inventory", "action", Point.AFTER_EFFECT)),
    ],
)
def test_where_it_stops_before_a_moment_that_does_not_last(saga: Saga, point: str, stage: Aim | None) -> None:
    assert road_to(saga, points_of(saga)[point]).stage == stage


@pytest.mark.parametrize(
    ("point", "early"),
    [
        ("reserve_inventory.after_effect", set()),
        ("approval.while_waiting", set()),
        ("require_approval.between_steps", {"approval"}),
        ("release_inventory.before_effect", {"approval"}),
    ],
)
def test_signals_on_the_way_are_sent_at_once(point: str, early: set[str]) -> None:
    assert road_to(ORDER_APPROVAL, points_of(ORDER_APPROVAL)[point]).early == early


def _chosen(point: str, told: Told) -> tuple[Status | None, set[str]]:
    road = road_to(ORDER, points_of(ORDER)[point])
    order = next(some_orders(1))
    end = choose_end(ORDER, road, plan_saga(ORDER, order, road), ledger_of([told]))
    return end.expected.status, {
        step for group in end.expected.effects for step, way, _ in group if way != "action"
    }


def test_a_saga_whose_attempts_were_used_up_is_rightly_compensated() -> None:
    lost = [("attempt", "charge_payment", "action")] * 3
    undo = [("attempt", "charge_payment", "compensation"), ("nothing", "charge_payment", "compensation")]
    told = Told("order-1", [*done("reserve_inventory"), *lost, *undo, *undone("reserve_inventory")], None)  # type: ignore[list-item]

    assert _chosen("charge_payment.before_effect", told) == (
        Status.COMPENSATED,
        {"charge_payment", "reserve_inventory"},
    )


def test_a_step_without_an_undo_tells_by_its_effect_whether_it_had_acted() -> None:
    """The mail is out, and nobody could know: the order is undone all the same."""
    point, lost = "send_confirmation.before_effect", [("attempt", "send_confirmation", "action")] * 3
    before = ["reserve_inventory", "charge_payment", "create_shipment"]
    way = [record for name in before for record in done(name)]
    back = [record for name in reversed(before) for record in undone(name)]
    sent = [("effect", "send_confirmation", "action")]
    order, road = next(some_orders(1)), road_to(ORDER, points_of(ORDER)[point])
    ends = []
    for mail in (sent, []):
        told = Told("order-1", [*way, *lost, *mail, *back], None)  # type: ignore[list-item]
        end = choose_end(ORDER, road, plan_saga(ORDER, order, road), ledger_of([told])).expected
        assert end.status is Status.COMPENSATED
        ends.append({step for group in end.effects for step, way, _ in group if way == "action"})

    assert ends == [{*before, "send_confirmation"}, {*before}]


def test_a_saga_that_had_attempts_left_is_not() -> None:
    lost = [("attempt", "charge_payment", "action")]
    undo = [("attempt", "charge_payment", "compensation"), ("nothing", "charge_payment", "compensation")]
    told = Told("order-1", [*done("reserve_inventory"), *lost, *undo, *undone("reserve_inventory")], None)  # type: ignore[list-item]

    assert _chosen("charge_payment.before_effect", told) == (Status.COMPLETED, set())


def test_a_step_that_was_declined_after_a_lost_attempt_may_be_undone() -> None:
    """Its undo finds nothing, but nobody could know (S3)."""
    aim = Aim("charge_payment", "action", "failure_stored")
    road = road_to(ORDER, aim, [Window(aim, "stored", after="decline")])
    planned = plan_saga(ORDER, next(some_orders(1)), road)
    undo = [("attempt", "charge_payment", "compensation"), ("nothing", "charge_payment", "compensation")]
    tried = [("attempt", "charge_payment", "action")] * 2
    told = Told("order-1", [*done("reserve_inventory"), *tried, *undo, *undone("reserve_inventory")], None)  # type: ignore[list-item]

    chosen = choose_end(ORDER, road, planned, ledger_of([told]))

    assert ("charge_payment", "compensation", "nothing") in chosen.expected.effects[1]
    assert choose_end(ORDER, road, planned, []).expected == planned.expected
