"""A moment is read from the ledger, and so is that it had passed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bakeoff.nemesis import FaultMissedError
from bakeoff.orders import ORDER, ORDER_APPROVAL
from bakeoff.world import Aim, Point, Reached
from bakeoff_bench.crash.moments import check_moment, check_standing
from bakeoff_bench.crash.points import Moment
from tests.run.evidence_builder import Entry, Told, done, ledger_of

RETRYING = Aim("charge_payment", "action", Moment.WHILE_RETRYING)
WAITING = Aim("approval", "action", Moment.WHILE_WAITING)
TRIED: Entry = ("attempt", "charge_payment", "action")
LATER = 1.0  #: the ledger on paper is of second 0


def test_a_retry_that_came_before_the_fault_voids_it() -> None:
    twice, thrice = (ledger_of([Told("order-1", [TRIED] * count, None)]) for count in (2, 3))

    check_moment(ORDER, RETRYING, twice, LATER)
    with pytest.raises(FaultMissedError, match="the next attempt came before the fault"):
        check_moment(ORDER, RETRYING, thrice, LATER)


def test_what_came_after_the_fault_is_the_recovery() -> None:
    thrice = ledger_of([Told("order-1", [TRIED] * 3, None)])

    check_moment(ORDER, RETRYING, thrice, landed_at=0.0)


def test_a_wait_that_was_over_before_the_fault_voids_it() -> None:
    waiting, over = (
        ledger_of([Told("order-1", done(*steps), None)])
        for steps in (["reserve_inventory"], ["reserve_inventory", "require_approval"])
    )

    check_moment(ORDER_APPROVAL, WAITING, waiting, LATER)
    with pytest.raises(FaultMissedError, match="approval was over before the fault"):
        check_moment(ORDER_APPROVAL, WAITING, over, LATER)


def test_a_call_that_the_engine_had_given_up_by_then_voids_the_kill() -> None:
    at = Reached(1, "order-1", Aim("charge_payment", "action", Point.BEFORE_EFFECT), 7, 10.0)
    earlier, again = ledger_of([Told("order-1", [TRIED] * 2, None)])
    earlier, again = replace(earlier, at=9.9), replace(again, at=11.0)

    check_standing(at, 2.0, [earlier], landed_at=11.5)
    check_standing(at, 2.0, [earlier, replace(again, step="reserve_inventory")], landed_at=11.5)
    with pytest.raises(FaultMissedError, match="had gone on with the call before the fault"):
        check_standing(at, 2.0, [earlier, again], landed_at=11.5)
    with pytest.raises(FaultMissedError, match=r"stood at its point for 2\.5 s, longer than its timeout"):
        check_standing(at, 2.0, [earlier], landed_at=12.5)
