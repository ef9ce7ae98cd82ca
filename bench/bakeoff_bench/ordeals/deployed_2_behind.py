"""Another version 2: the customer is screened first, where every saga of version 1 has gone past."""

from __future__ import annotations

from bakeoff.orders.saga import (
    charge_payment,
    create_shipment,
    require_approval,
    reserve_inventory,
    send_confirmation,
)
from bakeoff.saga import Saga, Step, Wait
from bakeoff_bench.ordeals.deployed_2 import screen_customer

ORDER_SCREENED_EARLY = Saga(
    "order-changed",
    (
        Step(name="screen_customer", action=screen_customer),
        reserve_inventory,
        Wait(name="approval"),
        require_approval,
        charge_payment,
        create_shipment,
        send_confirmation,
    ),
    version=2,
)
