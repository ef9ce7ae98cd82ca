"""Orders from files: real invoices that ship with bakeoff, or the user's own CSV or JSON Lines.

Nothing is dropped silently: every line and every order that cannot be used is rejected with its file, line
and reason. ``docs/orders-file.md`` documents the columns.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from bakeoff.errors import OrdersFileError
from bakeoff.orders import fields
from bakeoff.orders.fields import Refused
from bakeoff.orders.model import Line, Order

#: Our columns, and what the Online Retail data set calls them.
COLUMNS: Mapping[str, str] = {
    "order_id": "InvoiceNo",
    "sku": "StockCode",
    "quantity": "Quantity",
    "unit_price": "UnitPrice",
    "description": "Description",
    "customer": "CustomerID",
    "country": "Country",
}
REQUIRED = ("order_id", "sku", "quantity", "unit_price")
OPTIONAL = ("description", "customer", "country", "currency", "cancelled")

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

#: The order of the README's quick start.
DEMO_ORDER = Order(
    order_id="123",
    lines=(
        Line("85123A", 6, 255, "WHITE HANGING HEART T-LIGHT HOLDER"),
        Line("71053", 6, 339, "WHITE METAL LANTERN"),
        Line("22752", 2, 765, "SET 7 BABUSHKA NESTING BOXES"),
    ),
    customer="demo",
    country="United Kingdom",
)

_DATA = "online-retail-2010-12.csv.gz"


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
            lines_read=cut - 2 if cut != sys.maxsize else self.lines_read,
            first_lines=self.first_lines,
        )

    @property
    def rejected_orders(self) -> tuple[Rejection, ...]:
        """Whole orders that were refused: they count as issued and rejected (I8)."""
        return tuple(item for item in self.rejected if item.what == "order")


def real_orders() -> OrderBook:
    """The invoices that ship with bakeoff, after the demonstration order ``order-123``."""
    data = (files("bakeoff.orders") / "data" / _DATA).read_bytes()
    book = _parse(data, _DATA)
    return OrderBook(
        source=f"Online Retail, December 2010 (doi:10.24432/C5BW33, CC BY 4.0), {_DATA}",
        orders=(DEMO_ORDER, *book.orders),
        rejected=book.rejected,
        lines_read=book.lines_read,
        first_lines=book.first_lines,
    )


def load_orders(path: str) -> OrderBook:
    """Read the user's orders; ``-`` is standard input, gzip is recognised by its content.

    Raises:
        OrdersFileError: If the file cannot be read, is empty, or holds no usable order.
    """
    name = "standard input" if path == "-" else path
    try:
        data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise OrdersFileError(f"cannot read the orders file {name}: {error.strerror}") from error
    book = _parse(data, name)
    if not book.orders:
        first = "; ".join(f"line {item.line}: {item.reason}" for item in book.rejected[:3])
        raise OrdersFileError(f"{name}: none of its {book.lines_read} lines gives a usable order ({first})")
    return book


def _parse(data: bytes, name: str) -> OrderBook:
    if data[:2] == b"\x1f\x8b":
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise OrdersFileError(f"{name}: broken gzip file ({error})") from error
    # Bytes that are no UTF-8 become surrogates, and reject their own line only.
    text = data.decode("utf-8-sig", errors="surrogateescape")
    if not text.strip():
        raise OrdersFileError(f"the orders file {name} is empty")
    if text.lstrip().startswith("{"):
        return _from_json_lines(text, name)
    return _from_csv(text, name)


@dataclass(slots=True)
class _Draft:
    """An order while its lines come in."""

    line: int
    order_id: str
    head: Mapping[str, Any]
    lines: list[Line] = field(default_factory=list)
    refused: str = ""


class _Builder:
    """Collects drafts and rejections; the lines of one order keep together wherever they stand."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.drafts: dict[str, _Draft] = {}
        self.rejected: list[Rejection] = []

    def reject(self, what: Literal["line", "order"], line: int, order_id: str, reason: str) -> None:
        self.rejected.append(Rejection(what, self.name, line, order_id, reason))

    def finish(self, lines_read: int) -> OrderBook:
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
            first_lines={draft.order_id: draft.line for draft in self.drafts.values()},
        )


def _order_of(draft: _Draft) -> Order:
    if draft.refused:
        raise Refused(draft.refused)
    if not draft.lines:
        raise Refused("it has no valid line")
    return Order(
        order_id=draft.order_id,
        lines=tuple(draft.lines),
        customer=fields.optional_text(draft.head.get("customer")),
        country=fields.optional_text(draft.head.get("country")),
        currency=fields.currency(draft.head.get("currency")),
        cancelled=_cancelled(draft.head),
    )


def _cancelled(head: Mapping[str, Any]) -> bool:
    """The column says so, or a retail invoice number begins with ``C``."""
    return fields.truth(head.get("cancelled")) or (
        bool(head.get("retail")) and str(head.get("order_id", "")).startswith("C")
    )


def _line(head: Mapping[str, Any], item: Mapping[str, Any]) -> Line:
    code = fields.sku(item.get("sku"))
    if head.get("retail") and (code in NO_GOODS or code.startswith(_VOUCHER)):
        raise Refused(f"stock code {code} is no goods but {NO_GOODS.get(code, 'a voucher')}")
    return Line(
        code,
        fields.quantity(item.get("quantity"), cancelled=_cancelled(head)),
        fields.minor_units(item.get("unit_price"), fields.currency(head.get("currency"))),
        fields.optional_text(item.get("description")) or "",
    )


def _from_csv(text: str, name: str) -> OrderBook:
    rows = _rows(text)
    header = next(rows)[1]
    delimiter = next((mark for mark in ",;\t" if isinstance(header, list) and mark in ",".join(header)), ",")
    if delimiter != "," and isinstance(header, list) and len(header) == 1:
        rows = _rows(text, delimiter)
        header = next(rows)[1]
    columns = _columns(header, name)
    retail = isinstance(header, list) and "invoiceno" in [column.strip().lower() for column in header]
    builder, lines_read = _Builder(name), 0
    for number, row in rows:
        lines_read += 1
        _csv_row(builder, number, row, columns, retail)
    return builder.finish(lines_read)


def _rows(text: str, delimiter: str = ",") -> Iterator[tuple[int, list[str] | csv.Error]]:
    """``(line number, cells or what was wrong)``; empty lines between rows are no rows."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    while True:
        number = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield number, error
            continue
        if row:
            yield number, row


def _columns(header: list[str] | csv.Error, name: str) -> dict[str, int]:
    """``{our column: position}``."""
    cells = [] if isinstance(header, csv.Error) else [cell.strip().lower() for cell in header]
    found: dict[str, int] = {}
    for column in (*REQUIRED, *OPTIONAL):
        for spelling in (column, COLUMNS.get(column, column).lower()):
            if spelling in cells:
                found.setdefault(column, cells.index(spelling))
    missing = [column for column in REQUIRED if column not in found]
    if missing:
        raise OrdersFileError(
            f"{name}: no column {', '.join(missing)}; its first line must name {', '.join(REQUIRED)} "
            f"and may name {', '.join(OPTIONAL)} (or write one JSON object per line)"
        )
    return found


def _csv_row(
    builder: _Builder, number: int, row: list[str] | csv.Error, columns: Mapping[str, int], retail: bool
) -> None:
    if isinstance(row, csv.Error):
        return builder.reject("line", number, "", f"broken CSV: {row}")
    values: dict[str, Any] = {
        column: row[position] for column, position in columns.items() if position < len(row)
    }
    known_id = str(values.get("order_id", "")).strip()
    try:
        if any("\udc80" <= letter <= "\udcff" for letter in "".join(row)):
            known_id = ""
            raise Refused("it is not UTF-8")
        if len(values) < len(columns):
            raise Refused(f"it has {len(row)} cells; the header names {max(columns.values()) + 1}")
        known_id = fields.order_id(values["order_id"])
        values["retail"] = retail
        draft = builder.drafts.setdefault(known_id, _Draft(number, known_id, values))
        draft.lines.append(_line(draft.head, values))
    except Refused as reason:
        builder.reject("line", number, known_id, str(reason))
    return None


def _from_json_lines(text: str, name: str) -> OrderBook:
    builder, lines_read = _Builder(name), 0
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            lines_read += 1
            _json_order(builder, number, line)
    return builder.finish(lines_read)


def _json_order(builder: _Builder, number: int, text: str) -> None:
    known_id = ""
    try:
        head = _json_object(text)
        known_id = fields.order_id(head.get("order_id"))
        if known_id in builder.drafts:
            raise Refused(f"order {known_id} stands in line {builder.drafts[known_id].line} already")
        lines = head.get("lines")
        if not isinstance(lines, Sequence) or isinstance(lines, str):
            raise Refused("no list of lines")
        _cancelled(head), fields.currency(head.get("currency"))
    except Refused as reason:
        return builder.reject("order", number, known_id, str(reason))
    draft = builder.drafts.setdefault(known_id, _Draft(number, known_id, head))
    for item in _objects(lines):
        try:
            draft.lines.append(_line(head, item))
        except Refused as reason:
            builder.reject("line", number, known_id, str(reason))
    return None


def _json_object(text: str) -> dict[str, Any]:
    try:
        text.encode()
        value = json.loads(text, parse_float=Decimal)
    except UnicodeEncodeError:
        raise Refused("it is not UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise Refused(f"it is not JSON ({error})") from None
    if not isinstance(value, dict):
        raise Refused("it is not a JSON object")
    value.pop("retail", None)
    return value


def _objects(lines: Iterable[Any]) -> Iterator[Mapping[str, Any]]:
    for item in lines:
        yield item if isinstance(item, dict) else {}
