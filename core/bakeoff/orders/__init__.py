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

__all__ = [
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
