"""Scarcity: sagas race for the last units; N units give exactly N winners, and nothing is oversold."""

from __future__ import annotations

from dataclasses import replace

from bakeoff.checkers import Planned
from bakeoff.engine import Capability
from bakeoff.errors import UsageError
from bakeoff.expectation import Facts, expect
from bakeoff.orders.model import Line, Order
from bakeoff.outcome import Status
from bakeoff.world import Profile
from bakeoff_scenarios.outside import is_order_saga
from bakeoff_scenarios.workload import Assignment, Request, Scenario, Workload

#: The product that everybody wants, and how many want each of its units.
SCARCE_SKU = "85123A"
_RIVALS_PER_UNIT = 3


def make_scarcity(request: Request) -> Workload:
    """Plan one saga per order, each wanting one unit; a third of the units are there.

    Who wins is open, so every saga has two acceptable ends; how many win is not. No other fault disturbs
    it: a winner that fails later would give its unit back and make the number a matter of timing.

    Raises:
        UsageError: If the saga does not begin by reserving the basket, or waits for signals.
    """
    saga = request.saga
    if not is_order_saga(saga) or saga.elements[0].name != "reserve_inventory":
        raise UsageError(f"scarcity needs a saga that begins with reserve_inventory; {saga.name!r} does not")
    won = expect(saga, {})
    lost = expect(saga, {}, Facts(declines=frozenset({"reserve_inventory"})))
    # A loser's only record is the first one of every winner: the engine must say that it is over.
    lost = replace(lost, ledger_tells=False)
    if won.status is not Status.COMPLETED:
        raise UsageError(f"scarcity cannot use {saga.name!r}: it waits for signals")
    orders = [
        Order(order_id=order.order_id, lines=(Line(SCARCE_SKU, 1, 255),), customer=order.customer)
        for order in request.orders
    ]
    units = max(1, len(orders) // _RIVALS_PER_UNIT)
    return Workload(
        assignments=[
            Assignment(
                planned=Planned(
                    workflow_id=order.workflow_id,
                    input=order.order_id,
                    expected=won,
                    alternatives=(lost,),
                    order_id=order.order_id,
                )
            )
            for order in orders
        ],
        orders=orders,
        stock={SCARCE_SKU: units},
        profile=Profile(seed=request.seed),
        counts={
            str(Status.COMPLETED): min(units, len(orders)),
            str(Status.COMPENSATED): max(0, len(orders) - units),
        },
        notes=(f"{len(orders)} sagas race for {units} units of {SCARCE_SKU}",),
    )


SCARCITY = Scenario(
    name="scarcity",
    description="sagas race for the last units of one product: N units, exactly N winners, never oversold",
    make=make_scarcity,
    needs=(Capability.OUTCOME,),
)
