"""Orders come in and are taken back: commands that no step calls, for whoever has no database of ours."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, insert, select

from bakeoff.bridge.commands import command
from bakeoff.errors import BusinessError
from bakeoff.orders.model import Line, Order
from bakeoff.saga import JSON, Call
from bakeoff.world import schema
from bakeoff.world.prepared import Prepared

_KNOWN = Prepared(select(schema.orders.c.order_id).where(schema.orders.c.order_id == bindparam("order")))
_LINE = {
    "type": "object",
    "properties": {
        "sku": {"type": "string", "minLength": 1},
        "quantity": {"type": "integer", "minimum": 1},
        "unitPriceMinor": {"type": "integer", "minimum": 1},
    },
    "required": ["sku", "quantity", "unitPriceMinor"],
}
_ORDER = {
    "type": "object",
    "properties": {
        "orderId": {"type": "string", "minLength": 1},
        "lines": {"type": "array", "minItems": 1, "items": _LINE},
        "customer": {"type": "string"},
    },
    "required": ["orderId", "lines"],
}


@command("OrderService", "createOrder", event="orderCreated", schema=_ORDER)
def create_order(call: Call) -> JSON:
    """Enter what a customer wants; from then on a saga can be started by its id.

    Raises:
        BusinessError: If there is an order of this id.
    """
    wanted = call.input
    lines = [Line(one["sku"], one["quantity"], one["unitPriceMinor"]) for one in wanted["lines"]]
    order = Order(order_id=wanted["orderId"], lines=tuple(lines), customer=wanted.get("customer"))
    if _KNOWN.first(call.tx, {"order": order.order_id}) is not None:
        raise BusinessError(f"there is an order {order.order_id!r} already")
    call.tx.execute(insert(schema.orders), order.to_row())
    return {"orderId": order.order_id}


@command("OrderService", "cancelOrder", event="orderCancelled", identified_by="orderId")
def cancel_order(call: Call) -> JSON:
    """Take it out of the books again; the last of all undos, because the others read it."""
    call.tx.execute(delete(schema.orders).where(schema.orders.c.order_id == call.input))
    return {"orderId": call.input}
