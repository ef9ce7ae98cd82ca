"""The two formats of an orders file: CSV with a header, and JSON Lines."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from bakeoff.errors import OrdersFileError
from bakeoff.orders import fields
from bakeoff.orders.book import OrderBook
from bakeoff.orders.draft import Builder, Draft, cancelled_order, read_line
from bakeoff.orders.fields import Refused

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


def from_csv(text: str, name: str, enough: int | None = None) -> OrderBook:
    """Read CSV; ``OrdersFileError`` if a required column is missing.

    Args:
        text, name: Of the file.
        enough: Stop where one usable order more than this begins; only for a file in which the lines of
            every order stand together.
    """
    rows = _rows(text)
    header = next(rows)[1]
    delimiter = next((mark for mark in ",;\t" if isinstance(header, list) and mark in ",".join(header)), ",")
    if delimiter != "," and isinstance(header, list) and len(header) == 1:
        rows = _rows(text, delimiter)
        header = next(rows)[1]
    columns = _columns(header, name)
    retail = isinstance(header, list) and "invoiceno" in [column.strip().lower() for column in header]
    width = len(header) if isinstance(header, list) else 0
    builder, lines_read = Builder(name), 0
    for number, row in rows:
        if enough is not None and builder.usable > enough:
            break
        lines_read += 1
        _csv_row(builder, number, row, columns, width, retail)
    return builder.finish(lines_read, 2)


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
    builder: Builder,
    number: int,
    row: list[str] | csv.Error,
    columns: Mapping[str, int],
    width: int,
    retail: bool,
) -> None:
    if isinstance(row, csv.Error):
        return builder.reject("line", number, "", f"broken CSV: {row}")
    values: dict[str, Any] = {
        column: row[position] for column, position in columns.items() if position < len(row)
    }
    values["retail"] = retail
    known_id = str(values.get("order_id", "")).strip()
    try:
        if any("\udc80" <= letter <= "\udcff" for letter in "".join(row)):
            known_id = ""
            raise Refused("it is not UTF-8")
        known_id = fields.order_id(values.get("order_id"))
        draft = builder.drafts.setdefault(known_id, Draft(number, known_id, values))
        if len(row) <= max(columns.values()) or any(cell.strip() for cell in row[width:]):
            hint = " (is the separator inside a value?)" if len(row) > width else ""
            raise Refused(f"it has {len(row)} cells; the header names {width}{hint}")
        if not draft.lines:
            draft.head = values  # what an unusable line said of its order does not count
        line = read_line(draft.head, values)
        builder.usable += not draft.lines
        draft.lines.append(line)
    except Refused as reason:
        builder.reject("line", number, known_id, f"{reason}{_swallowed(number, row)}")
    return None


def _swallowed(number: int, row: list[str]) -> str:
    """A hint at a quotation mark that nobody closed: it takes the lines behind it along."""
    last = number + sum(cell.count("\n") for cell in row)
    if last == number:
        return ""
    return f"; lines {number} to {last} were read as one row: is a quotation mark not closed?"


def from_json_lines(text: str, name: str) -> OrderBook:
    """Read one JSON object per line."""
    builder, lines_read = Builder(name), 0
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            lines_read += 1
            _json_order(builder, number, line)
    return builder.finish(lines_read, 1)


def _json_order(builder: Builder, number: int, text: str) -> None:
    known_id = ""
    try:
        head = _json_object(text)
        known_id = fields.order_id(head.get("order_id"))
        if known_id in builder.drafts:
            raise Refused(f"order {known_id} stands in line {builder.drafts[known_id].line} already")
        lines = head.get("lines")
        if not isinstance(lines, Sequence) or isinstance(lines, str):
            raise Refused("no list of lines")
        cancelled_order(head), fields.currency(head.get("currency"))
    except Refused as reason:
        return builder.reject("order", number, known_id, str(reason))
    draft = builder.drafts.setdefault(known_id, Draft(number, known_id, head))
    for item in _objects(lines):
        try:
            draft.lines.append(read_line(head, item))
        except Refused as reason:
            builder.reject("line", number, known_id, str(reason))
    return None


def _json_object(text: str) -> dict[str, Any]:
    try:
        text.encode()
        value = json.loads(text, parse_float=Decimal)
    except UnicodeEncodeError:
        raise Refused("it is not UTF-8") from None
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise Refused(f"it is not JSON ({error})") from None
    if not isinstance(value, dict):
        raise Refused("it is not a JSON object")
    value.pop("retail", None)
    return value


def _objects(lines: Iterable[Any]) -> Iterator[Mapping[str, Any]]:
    for item in lines:
        yield item if isinstance(item, dict) else {}
