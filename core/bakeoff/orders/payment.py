"""Payment: a charge is captured at once, or authorised first and captured at the pivot."""

from __future__ import annotations

from sqlalchemy import bindparam, func, insert, select, update

from bakeoff.bridge.commands import command
from bakeoff.orders.lookup import load_order
from bakeoff.saga import JSON, Call
from bakeoff.world import schema
from bakeoff.world.prepared import Prepared

_charges = schema.charges
_COUNT = Prepared(select(func.count().label("taken")).where(_charges.c.order_id == bindparam("order")))
_INSERT = Prepared(insert(_charges), ["charge_id", "order_id", "amount_minor", "state"])
_SET_STATE = Prepared(
    update(_charges).where(_charges.c.charge_id == bindparam("charge")).values(state=bindparam("new_state"))
)
_REMEMBER = Prepared(
    update(schema.orders)
    .where(schema.orders.c.order_id == bindparam("order"))
    .values(charge_id=bindparam("charge"))
)


@command("PaymentService", "processPayment", event="paymentProcessed", identified_by="orderId")
def charge_payment(call: Call) -> JSON:
    """Charge the order's total and store the charge id with the order."""
    return _charge(call, "captured")


@command("PaymentService", "refundPayment", identified_by="orderId")
def refund_payment(call: Call) -> JSON:
    """Refund the charge that the order remembers."""
    return _end(call, "refunded")


@command("PaymentService", "authorizePayment", identified_by="orderId")
def authorize_payment(call: Call) -> JSON:
    """Only authorise the order's total; ``capture_payment`` takes it later."""
    return _charge(call, "authorised")


@command("PaymentService", "voidPayment", identified_by="orderId")
def void_payment(call: Call) -> JSON:
    """Give an authorisation back."""
    return _end(call, "voided")


@command("PaymentService", "capturePayment", event="paymentProcessed", identified_by="orderId")
def capture_payment(call: Call) -> JSON:
    """Take the authorised amount: the pivot of ``order-pivot``."""
    return _end(call, "captured")


def _charge(call: Call, state: str) -> JSON:
    order = load_order(call.tx, call.input)
    # A naive service can be made to charge twice; the number in the id keeps both charges.
    taken = _COUNT.first(call.tx, {"order": order.order_id}).taken
    charge_id = f"ch-{order.order_id}-{taken + 1}"
    _INSERT.run(
        call.tx,
        {
            "charge_id": charge_id,
            "order_id": order.order_id,
            "amount_minor": order.total_minor,
            "state": state,
        },
    )
    _REMEMBER.run(call.tx, {"order": order.order_id, "charge": charge_id})
    return {"orderId": order.order_id, "charge_id": charge_id, "amount_minor": order.total_minor}


def _end(call: Call, state: str) -> JSON:
    known = call.own_result or {}
    charge_id = known.get("charge_id") or load_order(call.tx, call.input).charge_id
    _SET_STATE.run(call.tx, {"charge": charge_id, "new_state": state})
    return {"orderId": call.input, "charge_id": charge_id}
