"""A saga that waits for the event which the answer to its own command is."""

from __future__ import annotations

from bakeoff.orders.saga import charge_payment, reserve_inventory, send_confirmation
from bakeoff.saga import Saga, Wait

HEARD = Saga(
    "heard",
    (
        reserve_inventory,
        charge_payment,
        Wait(name="paid", event="paymentProcessed"),
        send_confirmation,
    ),
)
