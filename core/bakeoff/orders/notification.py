"""Notification: a confirmation cannot be unsent, so it has no compensation."""

from __future__ import annotations

from sqlalchemy import bindparam, func, insert, select

from bakeoff.bridge.commands import command
from bakeoff.orders.lookup import load_order
from bakeoff.saga import JSON, Call
from bakeoff.world import schema
from bakeoff.world.prepared import Prepared

_COUNT = Prepared(select(func.count().label("sent")).where(schema.messages.c.order_id == bindparam("order")))
_INSERT = Prepared(insert(schema.messages), ["message_id", "order_id", "kind"])


@command("EmailService", "sendConfirmation", identified_by="orderId")
def send_confirmation(call: Call) -> JSON:
    """Tell the customer that the order is on its way."""
    order = load_order(call.tx, call.input)
    sent = _COUNT.first(call.tx, {"order": order.order_id}).sent
    message_id = f"msg-{order.order_id}-{sent + 1}"
    _INSERT.run(call.tx, {"message_id": message_id, "order_id": order.order_id, "kind": "confirmation"})
    return {"message_id": message_id}
