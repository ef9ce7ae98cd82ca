"""Shipping: a shipment takes the reserved units out of the warehouse, and arrives."""

from __future__ import annotations

from sqlalchemy import bindparam, func, insert, select, update

from bakeoff.bridge.commands import command
from bakeoff.errors import BusinessError
from bakeoff.orders.inventory import basket
from bakeoff.orders.lookup import load_order
from bakeoff.saga import JSON, Call
from bakeoff.world import schema
from bakeoff.world.prepared import Prepared

_stock = schema.stock
_shipments = schema.shipments
_COUNT = Prepared(select(func.count().label("taken")).where(_shipments.c.order_id == bindparam("order")))
_INSERT = Prepared(insert(_shipments), ["shipment_id", "order_id", "state"])
_UNDER_WAY = Prepared(
    select(_shipments.c.shipment_id).where(
        _shipments.c.order_id == bindparam("order"), _shipments.c.state == "created"
    )
)
_DELIVER = Prepared(
    update(_shipments).where(_shipments.c.shipment_id == bindparam("shipment")).values(state="delivered")
)
_CANCEL = Prepared(
    update(_shipments).where(_shipments.c.shipment_id == bindparam("shipment")).values(state="cancelled")
)
_SHIP = Prepared(
    update(_stock)
    .where(_stock.c.sku == bindparam("code"))
    .values(reserved=_stock.c.reserved - bindparam("n"), shipped=_stock.c.shipped + bindparam("n"))
)
_TAKE_BACK = Prepared(
    update(_stock)
    .where(_stock.c.sku == bindparam("code"))
    .values(reserved=_stock.c.reserved + bindparam("n"), shipped=_stock.c.shipped - bindparam("n"))
)


@command("ShippingService", "createShipment", event="shipmentCreated", identified_by="orderId")
def create_shipment(call: Call) -> JSON:
    """Ship the reserved basket."""
    order = load_order(call.tx, call.input)
    taken = _COUNT.first(call.tx, {"order": order.order_id}).taken
    shipment_id = f"sh-{order.order_id}-{taken + 1}"
    _INSERT.run(call.tx, {"shipment_id": shipment_id, "order_id": order.order_id, "state": "created"})
    _SHIP.run_many(call.tx, basket(call.tx, call.input))
    return {"orderId": order.order_id, "shipment_id": shipment_id}


@command("ShippingService", "confirmDelivery", event="deliveryConfirmed", identified_by="orderId")
def confirm_delivery(call: Call) -> JSON:
    """The carrier says that the goods have arrived.

    Raises:
        BusinessError: If nothing of the order is under way.
    """
    under_way = _UNDER_WAY.first(call.tx, {"order": call.input})
    if under_way is None:
        raise BusinessError(f"order {call.input} has no shipment under way")
    _DELIVER.run(call.tx, {"shipment": under_way.shipment_id})
    return {"orderId": call.input, "shipment_id": under_way.shipment_id}


@command("ShippingService", "cancelShipment", identified_by="orderId")
def cancel_shipment(call: Call) -> JSON:
    """Take the shipment back; its units are reserved again."""
    known = call.own_result or {}
    shipment_id = known.get("shipment_id") or f"sh-{call.input}-1"
    _CANCEL.run(call.tx, {"shipment": shipment_id})
    _TAKE_BACK.run_many(call.tx, basket(call.tx, call.input))
    return {"shipment_id": shipment_id}
