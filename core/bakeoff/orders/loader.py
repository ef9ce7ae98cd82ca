"""Orders from files: real invoices that ship with bakeoff, or the user's own CSV or JSON Lines.

Nothing is dropped silently: every line and every order that cannot be used is rejected with its file, line
and reason. ``docs/orders-file.md`` documents the columns.
"""

from __future__ import annotations

import gzip
import sys
import zlib
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

from bakeoff.errors import OrdersFileError
from bakeoff.orders.book import OrderBook, Rejection
from bakeoff.orders.formats import from_csv, from_json_lines
from bakeoff.orders.model import Line, Order

__all__ = ["DEMO_ORDER", "OrderBook", "Rejection", "load_orders", "real_orders"]

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


def real_orders(count: int | None = None) -> OrderBook:
    """The first ``count`` invoices that ship with bakeoff, after the demonstration order ``order-123``."""
    data = (files("bakeoff.orders") / "data" / _DATA).read_bytes()
    book = from_csv(gzip.decompress(data).decode(), _DATA, enough=count)
    whole = replace(
        book,
        source=f"Online Retail, December 2010 (doi:10.24432/C5BW33, CC BY 4.0), {_DATA}",
        orders=(DEMO_ORDER, *book.orders),
    )
    return whole if count is None else whole.take(count)


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
        return from_json_lines(text, name)
    return from_csv(text, name)
