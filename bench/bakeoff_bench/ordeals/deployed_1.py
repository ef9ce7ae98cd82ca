"""Version 1 of the saga that ``code-change`` changes while it is in flight."""

from __future__ import annotations

from bakeoff.orders.saga import (
    charge_payment,
    create_shipment,
    require_approval,
    reserve_inventory,
    send_confirmation,
)
from bakeoff.saga import Saga, Wait

ORDER_CHANGED = Saga(
    "order-changed",
    (
        reserve_inventory,
        Wait(name="approval"),
        require_approval,
        charge_payment,
        create_shipment,
        send_confirmation,
    ),
    version=1,
)
