"""Messages carry ids, not baskets: every step loads its order."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, bindparam, select

from bakeoff.errors import BusinessError
from bakeoff.world import schema
from bakeoff.world.prepared import Prepared

_LOAD = Prepared(select(schema.orders).where(schema.orders.c.order_id == bindparam("order_id")))


def load_order(tx: Connection, order_id: str) -> Any:
    """Return the order's row, its columns as attributes; decline if the services have no such order."""
    row = _LOAD.first(tx, {"order_id": order_id})
    if row is None:
        raise BusinessError(f"there is no order {order_id!r}")
    return row
