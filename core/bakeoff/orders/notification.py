"""Notification: a confirmation cannot be unsent, so it has no compensation."""

from __future__ import annotations

from sqlalchemy import bindparam, func, insert, select

from bakeoff.orders.lookup import load_order
from bakeoff.saga import JSON, Call
from bakeoff.world import schema

_COUNT = select(func.count()).where(schema.messages.c.order_id == bindparam("order"))
_INSERT = insert(schema.messages)


def send_confirmation(call: Call) -> JSON:
    """Tell the customer that the order is on its way."""
    order = load_order(call.tx, call.input)
    sent = call.tx.execute(_COUNT, {"order": order.order_id}).scalar_one()
    message_id = f"msg-{order.order_id}-{sent + 1}"
    call.tx.execute(_INSERT, {"message_id": message_id, "order_id": order.order_id, "kind": "confirmation"})
    return {"message_id": message_id}
