"""A saga that gives a charge up when its first attempt is not answered, and is patient with its undo."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bakeoff.orders.saga import charge_payment, create_shipment, reserve_inventory, send_confirmation
from bakeoff.saga import RetryPolicy, Saga

CHARGED_ONCE = Saga(
    "charged-once",
    (
        reserve_inventory,
        replace(
            charge_payment,
            # Time enough to pause whoever stands in it, on a busy machine too.
            timeout=timedelta(seconds=5),
            retry=RetryPolicy(maximum_attempts=1),
            # An undo that goes to an instance which does not answer is soon sent again.
            compensation_retry=RetryPolicy(maximum_interval=timedelta(seconds=0.2), maximum_attempts=40),
            compensation_timeout=timedelta(seconds=1),
        ),
        create_shipment,
        send_confirmation,
    ),
)
