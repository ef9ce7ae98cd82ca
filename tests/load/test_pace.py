"""Rounds that are due fit into the time that is left, by shorter loads rather than by fewer rounds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bakeoff.orders import ORDER
from bakeoff_bench.load.pace import LEAST_S, Pace
from bakeoff_bench.load.strike import strike_of
from bakeoff_scenarios import find_load
from tests.load.plans import load_plan


def _pace(within_s: float | None, around_s: float = 5.0) -> Pace:
    """Two contestants with two loads a round: 4 x (15 + 5) = 80 s a round, 800 s for those that are due."""
    plan = load_plan(
        ["inline", "temporal"], rounds=10, seconds=15.0, warm_up_s=3.0, pilot=5, within_s=within_s
    )
    pace = Pace(plan=plan)
    for one in plan.contestants:
        pace.saw(one.label, 15.0 + around_s, 15.0)
    return pace


def test_where_there_is_time_loads_are_as_long_as_planned() -> None:
    assert _pace(None).seconds_of_rounds(1e9) == 15.0
    assert _pace(1000.0).seconds_of_rounds(0.0) == 15.0


@pytest.mark.parametrize("gone_s", [0.0, 100.0, 200.0])
def test_where_there_is_less_all_rounds_are_made_of_shorter_loads(gone_s: float) -> None:
    pace = _pace(800.0)
    seconds = pace.seconds_of_rounds(gone_s)
    takes_s = pace.plan.rounds * len(pace.plan.contestants) * len(pace.plan.blocks) * (seconds + 5.0)

    assert 3.0 + LEAST_S <= seconds < 15.0
    assert gone_s + takes_s <= 800.0
    assert gone_s + takes_s + 40.0 * 3 > 800.0, "no more than a few seconds a load are given away"


def test_no_load_becomes_too_short_to_tell_anything() -> None:
    assert _pace(800.0).seconds_of_rounds(790.0) == 3.0 + LEAST_S


def test_what_would_be_another_load_is_not_made_shorter() -> None:
    """A spike of a second is none, and a fault that is armed after the end does not strike."""
    plan = _pace(800.0).plan
    spike = replace(plan, load=find_load("order-spike"))
    soak = replace(plan, load=find_load("order-soak"), seconds=1800.0)
    struck = replace(plan, fault=strike_of("worker-kill:charge_payment.after_effect", ORDER, 6.0))

    assert plan.may_be_shorter
    assert [one.may_be_shorter for one in (spike, soak, struck)] == [False] * 3
    assert Pace(plan=struck).seconds_of_rounds(790.0) == 15.0


def test_a_pilot_is_only_made_where_more_rounds_than_are_due_fit_behind_it() -> None:
    assert _pace(None).has_time_for_a_pilot(1e9)
    assert _pace(2000.0).has_time_for_a_pilot(0.0)
    assert not _pace(1000.0).has_time_for_a_pilot(0.0), "ten rounds fit, but not behind a pilot of 200 s"
    assert not _pace(800.0).has_time_for_a_pilot(0.0)


def test_what_loads_take_beside_their_seconds_is_what_it_was_and_one_long_drain_is_no_rule() -> None:
    quick, slow = _pace(800.0, 2.0), _pace(800.0, 9.0)
    drained = _pace(800.0, 2.0)
    drained.saw(drained.plan.contestants[0].label, 75.0, 15.0)
    drained.saw(drained.plan.contestants[0].label, 17.0, 15.0)

    assert quick.seconds_of_rounds(0.0) > slow.seconds_of_rounds(0.0)
    assert drained.seconds_of_rounds(0.0) == quick.seconds_of_rounds(0.0)


def test_before_the_first_load_a_usual_time_is_taken() -> None:
    assert Pace(plan=_pace(800.0).plan).seconds_of_rounds(100.0) < 15.0
