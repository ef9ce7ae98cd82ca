"""Inventory: units are on hand, reserved or shipped; a basket is reserved whole or not at all."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, select, update

from bakeoff.bridge.commands import command
from bakeoff.errors import BusinessError
from bakeoff.orders.lookup import load_order
from bakeoff.orders.model import warehouse_of
from bakeoff.saga import JSON, Call
from bakeoff.world import schema
from bakeoff.world.prepared import Prepared

_stock = schema.stock
_RESERVE = Prepared(
    update(_stock)
    .where(_stock.c.sku == bindparam("code"))
    .values(on_hand=_stock.c.on_hand - bindparam("n"), reserved=_stock.c.reserved + bindparam("n"))
)
_RELEASE = Prepared(
    update(_stock)
    .where(_stock.c.sku == bindparam("code"))
    .values(on_hand=_stock.c.on_hand + bindparam("n"), reserved=_stock.c.reserved - bindparam("n"))
)


def basket(tx: Connection, order_id: str, warehouse: str | None = None) -> list[dict[str, Any]]:
    """``[{"code": stock code, "n": units}, ...]`` by code, of one warehouse or of all."""
    units: dict[str, int] = {}
    for sku, quantity, _price in load_order(tx, order_id).lines:
        if warehouse is None or warehouse_of(sku) == warehouse:
            units[sku] = units.get(sku, 0) + quantity
    return [{"code": sku, "n": units[sku]} for sku in sorted(units)]


@lru_cache(maxsize=1024)
def _on_hand(count: int) -> Prepared:
    """What there is of ``count`` products, ``sku0`` and so on."""
    codes: list[BindParameter[str]] = [bindparam(f"sku{number}") for number in range(count)]
    # Locking the rows in the order of their codes keeps two baskets from waiting for each other.
    return Prepared(
        select(_stock.c.sku, _stock.c.on_hand)
        .where(_stock.c.sku.in_(codes))
        .order_by(_stock.c.sku)
        .with_for_update()
    )


@command("InventoryService", "reserveInventory", event="inventoryReserved", identified_by="orderId")
def reserve_inventory(call: Call) -> JSON:
    """Reserve the whole basket; decline naming the products of which there are too few."""
    return _reserve(call, None)


@command("InventoryService", "releaseInventory", identified_by="orderId")
def release_inventory(call: Call) -> JSON:
    """Put the reserved basket back."""
    return _release(call, None)


@command("InventoryService", "reserveEast", identified_by="orderId")
def reserve_east(call: Call) -> JSON:
    """Reserve what the warehouse ``east`` keeps of the basket."""
    return _reserve(call, "east")


@command("InventoryService", "releaseEast", identified_by="orderId")
def release_east(call: Call) -> JSON:
    """Put back what ``east`` had reserved."""
    return _release(call, "east")


@command("InventoryService", "reserveWest", identified_by="orderId")
def reserve_west(call: Call) -> JSON:
    """Reserve what the warehouse ``west`` keeps of the basket."""
    return _reserve(call, "west")


@command("InventoryService", "releaseWest", identified_by="orderId")
def release_west(call: Call) -> JSON:
    """Put back what ``west`` had reserved."""
    return _release(call, "west")


def _reserve(call: Call, warehouse: str | None) -> JSON:
    wanted = basket(call.tx, call.input, warehouse)
    if not wanted:
        return {"orderId": call.input, "units": 0}
    rows = _on_hand(len(wanted)).all(call.tx, {f"sku{n}": item["code"] for n, item in enumerate(wanted)})
    on_hand = {row.sku: row.on_hand for row in rows}
    short = [item for item in wanted if on_hand.get(item["code"], 0) < item["n"]]
    if short:
        named = ", ".join(
            f"{item['code']} ({on_hand.get(item['code'], 0)} of {item['n']})" for item in short[:5]
        )
        more = f" and {len(short) - 5} more" if len(short) > 5 else ""
        raise BusinessError(f"insufficient stock for {named}{more}")
    _RESERVE.run_many(call.tx, wanted)
    return {"orderId": call.input, "units": sum(item["n"] for item in wanted)}


def _release(call: Call, warehouse: str | None) -> JSON:
    held = basket(call.tx, call.input, warehouse)
    _RELEASE.run_many(call.tx, held)
    return {"units": sum(item["n"] for item in held)}
