"""The sagas of a load: the same for every engine, and what is planned is what the world does."""

from __future__ import annotations

from bakeoff.expectation import drawn_fates, expect
from bakeoff.orders import NOOP, ORDER, ORDER_APPROVAL
from bakeoff_bench.load.order import LoadOrder, baskets, shares
from bakeoff_bench.load.plan import Block, LoadPlan
from bakeoff_scenarios import LOADS, arrange, counts_of, find_load, moments, profile_of, shelves
from bakeoff_scenarios.answers import ANSWER
from tests.load.plans import load_plan

_ORDER = LoadOrder(
    deployment="",
    saga="order",
    load="order-steady",
    rate=40.0,
    seconds=60.0,
    process="poisson",
    seed=3,
    arrival_seed=4,
    label="one",
)


def test_the_same_order_makes_the_same_sagas() -> None:
    first, again = _ORDER.arrivals(ORDER), LoadOrder(**_ORDER.to_json()).arrivals(ORDER)

    assert first == again
    assert len({one.planned.workflow_id for one in first}) == len(first)


def test_what_is_planned_is_what_the_profile_draws() -> None:
    load = find_load("order-steady")
    profile = profile_of(load, ORDER, 3)
    for one in _ORDER.arrivals(ORDER):
        drawn = drawn_fates(profile.to_json(), one.planned.workflow_id, ORDER)
        assert one.planned.expected == expect(ORDER, drawn)


def test_about_the_declined_share_is_undone() -> None:
    counts = counts_of(_ORDER.arrivals(ORDER))

    assert 0.03 < counts["compensated"] / counts.total() < 0.07


def test_shares_of_several_generators_are_the_whole_load() -> None:
    whole = _ORDER.arrivals(ORDER)
    parts = [shares(whole, number, 3) for number in range(3)]

    assert sorted((one for part in parts for one in part), key=lambda one: one.at_s) == whole
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_slow_neighbours_are_a_kind_of_their_own() -> None:
    load = LOADS["noisy-neighbour"]
    arrivals = arrange(load, ORDER, baskets(), moments(load.shape(50, 40)), seed=1, label="x")
    slow = [one for one in arrivals if one.kind == "slow"]

    assert 0.05 < len(slow) / len(arrivals) < 0.15
    assert all(one.fates == {"reserve_inventory:action": {"first": ["slow:1.0"]}} for one in slow)
    assert {one.kind for one in arrivals} == {"slow", "order"}


def test_parked_orders_are_approved() -> None:
    load = LOADS["approval-parked"]
    arrivals = arrange(load, ORDER_APPROVAL, baskets(), moments(load.shape(5, 40)), seed=1, label="x")

    assert all(dict(one.signals)["approval"] == ANSWER for one in arrivals)


def test_shelves_hold_more_than_any_load_sells() -> None:
    sold = sum(count for order in baskets() for count in order.units().values())

    assert min(shelves(baskets()).values()) > 1000 * sold


def test_a_saga_without_orders_has_no_declines() -> None:
    assert profile_of(LOADS["order-steady"], NOOP, 1).declines == {}


def _plan(within_s: float | None) -> LoadPlan:
    blocks = [Block(name="one", rate=1.0)]
    return load_plan(("inline", "temporal", "choreography"), blocks=blocks, rounds=10, within_s=within_s)


def test_every_round_begins_with_another_contestant() -> None:
    plan = _plan(None)
    turns = [[one.label for one in plan.turns(number)] for number in range(len(plan.contestants))]

    assert [sorted(turn) for turn in turns] == [sorted(one.label for one in plan.contestants)] * len(turns)
    assert {turn[0] for turn in turns} == {one.label for one in plan.contestants}


def test_the_search_waits_until_a_slow_engine_has_done_enough_for_a_percentile() -> None:
    """Else nobody who does fewer than ten sagas a second would ever sustain anything."""
    plan = _plan(None)

    assert plan.seconds_of("search", 100.0) == plan.seconds
    assert plan.seconds_of("search", 4.0) == 1.0 + 140 / 4
    assert plan.seconds_of("search", 0.01) == 120.0
    assert plan.seconds_of("round", 0.01) == plan.seconds


def test_what_confirms_a_rate_is_longer_than_what_found_it() -> None:
    plan = _plan(None)

    assert plan.seconds_of("confirm", 1000.0) == 2 * plan.seconds
    assert plan.seconds_of("confirm", 4.0) == 1.0 + 300 / 4


def test_a_round_is_begun_if_it_can_be_over_in_time() -> None:
    plan = _plan(100.0)

    assert plan.fits(2, gone_s=60.0, longest_s=40.0)
    assert not plan.fits(2, gone_s=60.1, longest_s=40.0)
    assert plan.fits(1, gone_s=200.0, longest_s=40.0), "of one round alone nothing can be compared"
    assert _plan(None).fits(2, gone_s=1e9, longest_s=40.0)
    assert plan.expected_s() == 100.0
