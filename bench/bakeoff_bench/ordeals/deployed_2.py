"""Version 2: the customer is screened before the card is charged."""

from __future__ import annotations

from bakeoff.orders.saga import (
    charge_payment,
    create_shipment,
    require_approval,
    reserve_inventory,
    send_confirmation,
)
from bakeoff.saga import JSON, Call, Saga, Step, Wait


def screen_customer(call: Call) -> JSON:
    """Nobody is suspicious; what counts is that the step is there."""
    return {"screened": call.input}


ORDER_CHANGED = Saga(
    "order-changed",
    (
        reserve_inventory,
        Wait(name="approval"),
        require_approval,
        Step(name="screen_customer", action=screen_customer),
        charge_payment,
        create_shipment,
        send_confirmation,
    ),
    version=2,
)
