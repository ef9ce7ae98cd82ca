"""The sagas of the order domain. ``order`` is the example that the project grew from, literally."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bakeoff.orders import approval, inventory, nothing, notification, payment, shipping
from bakeoff.saga import Parallel, Saga, Sleep, Step, Wait

#: Demonstration steps answer within milliseconds; their timeout is short so that a slow one shows soon.
_TIMEOUT = timedelta(seconds=2)

reserve_inventory = Step(
    name="reserve_inventory",
    action=inventory.reserve_inventory,
    compensation=inventory.release_inventory,
    timeout=_TIMEOUT,
)
charge_payment = Step(
    name="charge_payment",
    action=payment.charge_payment,
    compensation=payment.refund_payment,
    timeout=_TIMEOUT,
)
authorize_payment = Step(
    name="authorize_payment",
    action=payment.authorize_payment,
    compensation=payment.void_payment,
    timeout=_TIMEOUT,
)
create_shipment = Step(
    name="create_shipment",
    action=shipping.create_shipment,
    compensation=shipping.cancel_shipment,
    timeout=_TIMEOUT,
)
capture_payment = Step(name="capture_payment", action=payment.capture_payment, timeout=_TIMEOUT, pivot=True)
send_confirmation = Step(name="send_confirmation", action=notification.send_confirmation, timeout=_TIMEOUT)
require_approval = Step(name="require_approval", action=approval.require_approval, timeout=_TIMEOUT)

ORDER = Saga("order", (reserve_inventory, charge_payment, create_shipment, send_confirmation))

ORDER_PIVOT = Saga(
    "order-pivot",
    (reserve_inventory, authorize_payment, create_shipment, capture_payment, send_confirmation),
)

ORDER_PARALLEL = Saga(
    "order-parallel",
    (
        Parallel(
            name="reserve",
            steps=(
                Step(
                    name="reserve_east",
                    action=inventory.reserve_east,
                    compensation=inventory.release_east,
                    timeout=_TIMEOUT,
                ),
                Step(
                    name="reserve_west",
                    action=inventory.reserve_west,
                    compensation=inventory.release_west,
                    timeout=_TIMEOUT,
                ),
            ),
        ),
        charge_payment,
        create_shipment,
        send_confirmation,
    ),
)

ORDER_APPROVAL = Saga(
    "order-approval",
    (
        reserve_inventory,
        Wait(name="approval"),
        require_approval,
        charge_payment,
        create_shipment,
        send_confirmation,
    ),
)

ORDER_APPROVAL_TIMEOUT = Saga(
    "order-approval-timeout",
    (
        reserve_inventory,
        Wait(name="approval", timeout=timedelta(seconds=2)),
        require_approval,
        charge_payment,
        create_shipment,
        send_confirmation,
    ),
)

ORDER_DELAYED = Saga(
    "order-delayed",
    (
        reserve_inventory,
        Sleep(name="cooling_off", duration=timedelta(seconds=1)),
        charge_payment,
        create_shipment,
        send_confirmation,
    ),
)

_unrecorded = Step(
    name="second",
    action=nothing.do_nothing,
    compensation=nothing.undo_nothing,
    timeout=_TIMEOUT,
    recorded=False,
)

NOOP = Saga(
    "noop",
    (
        replace(_unrecorded, name="first", recorded="once"),
        _unrecorded,
        replace(_unrecorded, name="third"),
        Step(name="last", action=nothing.do_nothing, timeout=_TIMEOUT, recorded="once"),
    ),
)
