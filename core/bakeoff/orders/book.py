"""Usable orders, and everything that was refused with its file, line and reason."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from bakeoff.orders.model import Order


@dataclass(frozen=True, slots=True)
class Rejection:
    """A line or a whole order that cannot be used.

    Attributes:
        what: ``line`` (the order goes on without it) or ``order``.
        file: As the user named it; ``line`` is 1-based, an order's first one.
        order_id: Of the order concerned, as far as it is known.
    """

    what: Literal["line", "order"]
    file: str
    line: int
    order_id: str
    reason: str

    def __str__(self) -> str:
        """One line for people."""
        order = self.order_id or "?"
        return f"{self.file}, line {self.line}: {self.what} of order {order} rejected: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderBook:
    """Usable orders in the order of the file, and everything that was refused."""

    source: str
    orders: tuple[Order, ...]
    rejected: tuple[Rejection, ...] = ()
    lines_read: int = 0
    first_data_line: int = 2
    first_lines: Mapping[str, int] = field(default_factory=dict)

    def take(self, count: int) -> OrderBook:
        """The first ``count`` usable orders, with what was rejected before the next one begins."""
        if count >= len(self.orders):
            return self
        cut = self.first_lines.get(self.orders[count].order_id, sys.maxsize)
        return OrderBook(
            source=self.source,
            orders=self.orders[:count],
            rejected=tuple(item for item in self.rejected if item.line < cut),
            lines_read=cut - self.first_data_line if cut != sys.maxsize else self.lines_read,
            first_lines=self.first_lines,
        )

    @property
    def rejected_orders(self) -> tuple[Rejection, ...]:
        """Whole orders that were refused: they count as issued and rejected (I8)."""
        return tuple(item for item in self.rejected if item.what == "order")
