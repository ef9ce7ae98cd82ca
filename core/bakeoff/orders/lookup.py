"""Messages carry ids, not baskets: every step loads its order."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from bakeoff.errors import BusinessError
from bakeoff.world import schema

_LOAD = select(schema.orders).where(schema.orders.c.order_id == bindparam("order_id"))


def load_order(tx: Connection, order_id: str) -> Row[Any]:
    """Return the order's row; decline if the services have no such order."""
    row = tx.execute(_LOAD, {"order_id": order_id}).one_or_none()
    if row is None:
        raise BusinessError(f"there is no order {order_id!r}")
    return row
