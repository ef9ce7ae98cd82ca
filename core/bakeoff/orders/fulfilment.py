"""Order fulfilment to the end: the carrier says that the goods have arrived, or somebody has to ask.

The event ``deliveryConfirmed`` of the shipping service ends the wait. When it does not come the carrier is
reminded; when it still does not come a claim is filed. The order is completed either way: what was paid has
been shipped.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from datetime import timedelta

from bakeoff.bridge.commands import command
from bakeoff.orders.saga import charge_payment, create_shipment, reserve_inventory, send_confirmation
from bakeoff.saga import JSON, Call, Saga, Step, Wait
from bakeoff.world.cases import put

_TIMEOUT = timedelta(seconds=2)


@command("ShippingService", "remindCarrier", identified_by="orderId")
def remind_carrier(call: Call) -> JSON:
    """Ask the carrier where the goods are."""
    return _note(call, "carrier reminder")


@command("ShippingService", "fileClaim", event="claimFiled", identified_by="orderId")
def file_claim(call: Call) -> JSON:
    """Claim the goods from the carrier."""
    return _note(call, "claim")


@command("OrderService", "closeOrder", event="orderClosed", identified_by="orderId")
def close_order(call: Call) -> JSON:
    """Nothing more is to come."""
    return _note(call, "closed order")


def _note(call: Call, kind: str) -> JSON:
    put(call.tx, kind, call.input, "done")
    return {"orderId": call.input}


def _unconfirmed(input: JSON, results: Mapping[str, JSON]) -> bool:
    return results.get("delivered") is None


def _lost(input: JSON, results: Mapping[str, JSON]) -> bool:
    return _unconfirmed(input, results) and results.get("delivered_late") is None


def fulfilment(name: str, day: timedelta) -> Saga:
    """The process, with days of that length."""
    event = "deliveryConfirmed"
    return Saga(
        name,
        (
            reserve_inventory,
            charge_payment,
            create_shipment,
            send_confirmation,
            Wait(name="delivered", timeout=3 * day, on_timeout="continue", event=event),
            Step(name="remind_carrier", action=remind_carrier, when=_unconfirmed, timeout=_TIMEOUT),
            Wait(
                name="delivered_late",
                signal="delivered",
                event=event,
                timeout=3 * day,
                on_timeout="continue",
                when=_unconfirmed,
            ),
            Step(name="file_claim", action=file_claim, when=_lost, timeout=_TIMEOUT),
            Step(name="close_order", action=close_order, timeout=_TIMEOUT),
        ),
    )


FULFILMENT = fulfilment("fulfilment", timedelta(seconds=0.3))
FULFILMENT_DAYS = fulfilment("fulfilment-days", timedelta(days=1))


def facts(order_id: str) -> dict[str, JSON]:
    """Of ten parcels eight are confirmed in time, one after the reminder, and one is lost."""
    drawn = zlib.crc32(str(order_id).encode()) % 10
    payload = {"orderId": str(order_id)}
    if drawn < 8:
        return {"signals": {"delivered": payload}}
    return {"signals": {"delivered_late": payload} if drawn == 8 else {}}
