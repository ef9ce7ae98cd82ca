"""A saga that does not charge: somebody else does, and the event of that lets it go on."""

from __future__ import annotations

from bakeoff.orders.saga import create_shipment, reserve_inventory, send_confirmation
from bakeoff.saga import Saga, Wait

PAID_ELSEWHERE = Saga(
    "paid-elsewhere",
    (
        reserve_inventory,
        Wait(name="paymentCompleted", event="paymentProcessed"),
        create_shipment,
        send_confirmation,
    ),
)
