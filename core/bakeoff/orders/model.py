"""Orders as the services keep them. Money is an integer in minor units."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

#: Warehouses of ``order-parallel``; a hash of the stock code says which one keeps a product.
WAREHOUSES = ("east", "west")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an order: stock code, units (positive), price of one unit in minor units."""

    sku: str
    quantity: int
    unit_price_minor: int
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order with its basket.

    Attributes:
        order_id: The caller's identity; the workflow id is ``order-<order id>``.
        cancelled: The customer cancels it after the start (``C`` invoices).
    """

    order_id: str
    lines: tuple[Line, ...]
    customer: str | None = None
    country: str | None = None
    currency: str = "GBP"
    cancelled: bool = False

    @property
    def total_minor(self) -> int:
        """Value of the basket in minor units."""
        return sum(line.quantity * line.unit_price_minor for line in self.lines)

    @property
    def workflow_id(self) -> str:
        """``order-<order id>``; an order id that starts so already is its own workflow id."""
        return self.order_id if self.order_id.startswith("order-") else f"order-{self.order_id}"

    def units(self) -> dict[str, int]:
        """``{stock code: units}``, lines of one code added up."""
        units: dict[str, int] = {}
        for line in self.lines:
            units[line.sku] = units.get(line.sku, 0) + line.quantity
        return units

    def to_row(self) -> dict[str, Any]:
        """As a row of the table ``orders``; ``lines`` is ``[[sku, quantity, unit price], ...]``."""
        return {
            "order_id": self.order_id,
            "customer": self.customer,
            "country": self.country,
            "currency": self.currency,
            "total_minor": self.total_minor,
            "lines": [[line.sku, line.quantity, line.unit_price_minor] for line in self.lines],
            "charge_id": None,
        }


def warehouse_of(sku: str) -> str:
    """The warehouse that keeps this stock code."""
    return WAREHOUSES[hashlib.sha256(sku.encode()).digest()[0] % len(WAREHOUSES)]
