"""The services' own books: stock, charges, shipments and messages after a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection, Engine, Select, Table, func, select

from bakeoff.world import schema
from bakeoff.world.database import reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """What the services hold.

    Attributes:
        stocked: ``{stock code: units}`` put on the shelves before the run.
        stock: ``{stock code: (on hand, reserved, shipped)}`` after it.
        charges: ``{order id: {state: minor units}}``.
        strangers: The charges of orders that no saga was to handle.
        charge_counts, shipment_counts, message_counts: Rows per order id, whatever their state.
        totals: ``{order id: value of the basket in minor units}``.
        baskets: ``{order id: {stock code: units}}``.
    """

    stocked: Mapping[str, int] = field(default_factory=dict)
    stock: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)
    charges: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    strangers: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    charge_counts: Mapping[str, int] = field(default_factory=dict)
    shipment_counts: Mapping[str, int] = field(default_factory=dict)
    message_counts: Mapping[str, int] = field(default_factory=dict)
    totals: Mapping[str, int] = field(default_factory=dict)
    baskets: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


def read_books(engine: Engine, stocked: Mapping[str, int]) -> Books:
    """Read the books of a service database in one snapshot."""
    with reading(engine) as connection:
        return replace(
            books_of_orders(connection),
            stocked=stocked,
            stock=read_stock(connection),
            charge_counts=rows_per_order(connection, schema.charges),
            shipment_counts=rows_per_order(connection, schema.shipments),
            message_counts=rows_per_order(connection, schema.messages),
        )


def books_of_orders(connection: Connection, of: Select[tuple[str]] | None = None) -> Books:
    """Charges, values and baskets of the orders that ``of`` selects, or of all."""
    charges, orders = schema.charges.c, schema.orders.c
    paid = select(charges.order_id, charges.amount_minor, charges.state)
    ordered = select(orders.order_id, orders.total_minor, orders.lines)
    if of is not None:
        paid, ordered = paid.where(charges.order_id.in_(of)), ordered.where(orders.order_id.in_(of))
    money = _money(connection, paid)
    totals: dict[str, int] = {}
    baskets: dict[str, Counter[str]] = {}
    for row in connection.execute(ordered):
        totals[row.order_id] = row.total_minor
        basket = baskets[row.order_id] = Counter()
        for sku, quantity, _price in row.lines:
            basket[sku] += quantity
    return Books(charges=money, totals=totals, baskets=baskets)


def charges_of_strangers(connection: Connection, known: Select[tuple[str]]) -> dict[str, dict[str, int]]:
    """``{order id: {state: minor units}}`` of orders that ``known`` does not select."""
    charges = schema.charges.c
    paid = select(charges.order_id, charges.amount_minor, charges.state)
    return _money(connection, paid.where(charges.order_id.not_in(known)))


def _money(connection: Connection, paid: Select[tuple[str, int, str]]) -> dict[str, dict[str, int]]:
    money: dict[str, dict[str, int]] = {}
    for row in connection.execute(paid):
        states = money.setdefault(row.order_id, {})
        states[row.state] = states.get(row.state, 0) + row.amount_minor
    return money


def read_stock(connection: Connection) -> dict[str, tuple[int, int, int]]:
    """``{stock code: (on hand, reserved, shipped)}``."""
    stock = schema.stock.c
    shelves = select(stock.sku, stock.on_hand, stock.reserved, stock.shipped)
    return {row.sku: (row.on_hand, row.reserved, row.shipped) for row in connection.execute(shelves)}


def rows_per_order(connection: Connection, table: Table, *, at_least: int = 1) -> dict[str, int]:
    """``{order id: rows}`` of ``charges``, ``shipments`` or ``messages``, where there are so many."""
    query = select(table.c.order_id, func.count()).group_by(table.c.order_id)
    return {order_id: rows for order_id, rows in connection.execute(query.having(func.count() >= at_least))}
