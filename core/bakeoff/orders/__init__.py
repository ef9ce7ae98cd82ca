"""The order domain: services, orders and the sagas over them."""

from bakeoff.orders.fulfilment import FULFILMENT, FULFILMENT_DAYS
from bakeoff.orders.saga import (
    NOOP,
    ORDER,
    ORDER_APPROVAL,
    ORDER_APPROVAL_TIMEOUT,
    ORDER_DELAYED,
    ORDER_PARALLEL,
    ORDER_PIVOT,
)
from bakeoff.orders.shipping import confirm_delivery
from bakeoff.orders.taking import cancel_order, create_order

#: Served beside the commands of the steps: what customers and carriers send.
COMMANDS = (create_order, cancel_order, confirm_delivery)

__all__ = [
    "COMMANDS",
    "FULFILMENT",
    "FULFILMENT_DAYS",
    "NOOP",
    "ORDER",
    "ORDER_APPROVAL",
    "ORDER_APPROVAL_TIMEOUT",
    "ORDER_DELAYED",
    "ORDER_PARALLEL",
    "ORDER_PIVOT",
]
