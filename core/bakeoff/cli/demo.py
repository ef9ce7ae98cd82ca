"""Orders that ``bakeoff up`` puts into its world, so that there is something to start."""

from __future__ import annotations

from bakeoff.orders.model import Line, Order
from bakeoff.world import World

_MUG = ("mug", 650)
_TEAPOT = ("teapot", 2400)
_SCONE = ("scone", 180)

#: ``{order id: (basket as {(stock code, price): units}, what will become of it)}``.
_ORDERS = {
    "order-123": ({_MUG: 2, _TEAPOT: 1}, "goes through"),
    "order-124": ({_MUG: 1, _SCONE: 6}, "the card is declined: the stock is released again"),
    "order-125": ({_MUG: 1, _SCONE: 100_000}, "there are not so many scones: nothing is reserved"),
    "order-126": (
        {_TEAPOT: 2},
        "the confirmation fails at every attempt: shipment, payment and stock are undone",
    ),
    "order-127": ({_SCONE: 12}, "the payment fails twice, then goes through"),
    "order-128": ({_MUG: 4}, "goes through"),
    "order-129": ({_TEAPOT: 1, _SCONE: 4}, "goes through"),
}

_STOCK = {"mug": 1000, "teapot": 1000, "scone": 10_000}


def fill(world: World) -> dict[str, str]:
    """Add the demonstration orders, stock and fates; return ``{order id: what will become of it}``."""
    world.add_orders(
        Order(
            order_id=order_id,
            lines=tuple(Line(sku, units, price) for (sku, price), units in basket.items()),
        )
        for order_id, (basket, _) in _ORDERS.items()
    )
    world.set_stock(_STOCK)
    world.set_fate("order-124", {"charge_payment:action": {"then": "decline"}})
    world.set_fate("order-126", {"send_confirmation:action": {"then": "fault"}})
    world.set_fate("order-127", {"charge_payment:action": {"first": ["fault", "fault"]}})
    return {order_id: fate for order_id, (_, fate) in _ORDERS.items()}
