"""Orders while their lines come in, whatever the format of the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bakeoff.orders import fields
from bakeoff.orders.book import OrderBook, Rejection
from bakeoff.orders.fields import Refused
from bakeoff.orders.model import Line, Order

#: Stock codes of the retail data that name a charge or a voucher: nothing that a warehouse could reserve.
NO_GOODS: Mapping[str, str] = {
    "AMAZONFEE": "a fee",
    "BANK CHARGES": "a fee",
    "C2": "carriage",
    "CRUK": "a commission",
    "D": "a discount",
    "DOT": "postage",
    "M": "a manual entry",
    "POST": "postage",
    "S": "samples",
}
_VOUCHER = "GIFT_"


@dataclass(slots=True)
class Draft:
    """An order while its lines come in: ``line`` is its first one, ``head`` the values said there."""

    line: int
    order_id: str
    head: Mapping[str, Any]
    lines: list[Line] = field(default_factory=list)


class Builder:
    """Collects drafts and rejections; the lines of one order keep together wherever they stand.

    Attributes:
        usable: Drafts that have a valid line.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.drafts: dict[str, Draft] = {}
        self.rejected: list[Rejection] = []
        self.usable = 0

    def reject(self, what: Literal["line", "order"], line: int, order_id: str, reason: str) -> None:
        """Note a refusal."""
        self.rejected.append(Rejection(what, self.name, line, order_id, reason))

    def finish(self, lines_read: int, first_data_line: int) -> OrderBook:
        """Turn drafts into orders, refusing those without a valid line and second owners of an id."""
        orders: list[Order] = []
        taken: dict[str, str] = {}
        for draft in self.drafts.values():
            try:
                order = _order_of(draft)
                if order.workflow_id in taken:
                    raise Refused(
                        f"workflow id {order.workflow_id} belongs to order {taken[order.workflow_id]}"
                    )
            except Refused as reason:
                self.reject("order", draft.line, draft.order_id, str(reason))
                continue
            taken[order.workflow_id] = order.order_id
            orders.append(order)
        self.rejected.sort(key=lambda item: item.line)
        return OrderBook(
            source=self.name,
            orders=tuple(orders),
            rejected=tuple(self.rejected),
            lines_read=lines_read,
            first_data_line=first_data_line,
            first_lines={draft.order_id: draft.line for draft in self.drafts.values()},
        )


def _order_of(draft: Draft) -> Order:
    if not draft.lines:
        raise Refused("it has no valid line")
    return Order(
        order_id=draft.order_id,
        lines=tuple(draft.lines),
        customer=fields.optional_text(draft.head.get("customer")),
        country=fields.optional_text(draft.head.get("country")),
        currency=fields.currency(draft.head.get("currency")),
        cancelled=cancelled_order(draft.head),
    )


def cancelled_order(head: Mapping[str, Any]) -> bool:
    """Whether the column says that it is cancelled, or its retail invoice number begins with ``C``."""
    return fields.truth(head.get("cancelled")) or (
        bool(head.get("retail")) and str(head.get("order_id", "")).startswith("C")
    )


def read_line(head: Mapping[str, Any], item: Mapping[str, Any]) -> Line:
    """Read one line of an order; ``Refused`` says why it cannot be."""
    code = fields.sku(item.get("sku"))
    if head.get("retail") and (code in NO_GOODS or code.startswith(_VOUCHER)):
        raise Refused(f"stock code {code} is no goods but {NO_GOODS.get(code, 'a voucher')}")
    units = fields.quantity(item.get("quantity"), cancelled=cancelled_order(head))
    price = fields.minor_units(item.get("unit_price"), fields.currency(head.get("currency")))
    fields.check_line(units, price)
    return Line(code, units, price, fields.optional_text(item.get("description")) or "")
