"""The services' own books: stock, charges, shipments and messages after a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Engine, select

from bakeoff.world import schema
from bakeoff.world.database import reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """What the services hold.

    Attributes:
        stocked: ``{stock code: units}`` put on the shelves before the run.
        stock: ``{stock code: (on hand, reserved, shipped)}`` after it.
        charges: ``{order id: {state: minor units}}``.
        charge_counts, shipment_counts, message_counts: Rows per order id, whatever their state.
        totals: ``{order id: value of the basket in minor units}``.
        baskets: ``{order id: {stock code: units}}``.
    """

    stocked: Mapping[str, int] = field(default_factory=dict)
    stock: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)
    charges: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    charge_counts: Mapping[str, int] = field(default_factory=dict)
    shipment_counts: Mapping[str, int] = field(default_factory=dict)
    message_counts: Mapping[str, int] = field(default_factory=dict)
    totals: Mapping[str, int] = field(default_factory=dict)
    baskets: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


def read_books(engine: Engine, stocked: Mapping[str, int]) -> Books:
    """Read the books of a service database in one snapshot."""
    stock, charges = schema.stock.c, schema.charges.c
    money: dict[str, dict[str, int]] = {}
    counts: Counter[str] = Counter()
    totals: dict[str, int] = {}
    baskets: dict[str, Counter[str]] = {}
    with reading(engine) as connection:
        shelves = {
            row.sku: (row.on_hand, row.reserved, row.shipped)
            for row in connection.execute(select(stock.sku, stock.on_hand, stock.reserved, stock.shipped))
        }
        for row in connection.execute(select(charges.order_id, charges.amount_minor, charges.state)):
            states = money.setdefault(row.order_id, {})
            states[row.state] = states.get(row.state, 0) + row.amount_minor
            counts[row.order_id] += 1
        orders = schema.orders.c
        for row in connection.execute(select(orders.order_id, orders.total_minor, orders.lines)):
            totals[row.order_id] = row.total_minor
            basket: Counter[str] = Counter()
            for sku, quantity, _price in row.lines:
                basket[sku] += quantity
            baskets[row.order_id] = basket
        shipments = Counter(connection.scalars(select(schema.shipments.c.order_id)))
        messages = Counter(connection.scalars(select(schema.messages.c.order_id)))
    return Books(
        stocked=stocked,
        stock=shelves,
        charges=money,
        charge_counts=counts,
        shipment_counts=shipments,
        message_counts=messages,
        totals=totals,
        baskets=baskets,
    )
