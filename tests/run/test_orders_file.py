"""Orders from files: what is used, and what is refused with file, line and reason."""

from __future__ import annotations

import gzip
import io
import json
import sys
from pathlib import Path

import pytest

from bakeoff.errors import OrdersFileError
from bakeoff.orders.loader import OrderBook, load_orders, real_orders

_HEADER = "order_id,sku,quantity,unit_price,currency,cancelled\n"


@pytest.fixture(scope="module")
def book() -> OrderBook:
    return real_orders()


def _load(tmp_path: Path, text: str | bytes, name: str = "orders.csv") -> OrderBook:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return load_orders(str(path))


def _reasons(book: OrderBook) -> list[tuple[int, str, str]]:
    return [(item.line, item.what, item.reason) for item in book.rejected]


def test_real_invoices_are_all_used_or_rejected(book: OrderBook) -> None:
    """1,892 invoices and the demonstration order; 39,522 lines, none of them gone silently."""
    kept = sum(len(order.lines) for order in book.orders[1:])
    lines_rejected = sum(item.what == "line" for item in book.rejected)

    assert book.lines_read == 39_522 == kept + lines_rejected
    assert len(book.orders) - 1 + len(book.rejected_orders) == 1_892
    assert (
        sum(order.cancelled for order in book.orders)
        + sum(item.order_id.startswith("C") for item in book.rejected_orders)
        == 299
    )


def test_first_order_is_the_one_of_the_quick_start(book: OrderBook) -> None:
    assert book.orders[0].workflow_id == "order-123"
    assert book.orders[1].workflow_id == "order-536365"


def test_cancelling_invoice_is_an_order_of_the_absolute_quantities(book: OrderBook) -> None:
    order = next(order for order in book.orders if order.order_id == "C536391")

    assert order.cancelled
    assert order.units()["22556"] == 12


def test_stock_codes_that_differ_by_case_are_one_product(book: OrderBook) -> None:
    codes = {sku for order in book.orders for sku in order.units()}

    assert codes == {code.upper() for code in codes}
    assert "85123A" in codes


def test_postage_and_fees_are_no_goods(book: OrderBook) -> None:
    codes = {sku for order in book.orders for sku in order.units()}

    assert not codes & {"POST", "D", "M", "DOT", "BANK CHARGES", "C2", "S", "AMAZONFEE"}
    assert any("POST is no goods but postage" in item.reason for item in book.rejected)


def test_money_is_exact(book: OrderBook) -> None:
    order = book.orders[1]

    assert order.total_minor == 13_912  # 139.12 GBP, as the invoice says


def test_taking_a_few_orders_keeps_their_rejections_only(book: OrderBook) -> None:
    few = book.take(20)

    assert len(few.orders) == 20
    assert 0 < len(few.rejected) < len(book.rejected)
    assert few.take(500) == few


@pytest.mark.parametrize("count", [1, 2, 20, 200])
def test_reading_a_few_real_orders_is_the_same_as_taking_them(book: OrderBook, count: int) -> None:
    few, taken = real_orders(count), book.take(count)

    assert (few.orders, few.rejected, few.lines_read) == (taken.orders, taken.rejected, taken.lines_read)


def test_lines_of_one_order_keep_together_wherever_they_stand(tmp_path: Path) -> None:
    loaded = _load(tmp_path, _HEADER + "a,x,1,1.00,,\nb,x,1,1.00,,\na,y,2,0.50,,\n")

    assert [(order.order_id, len(order.lines)) for order in loaded.orders] == [("a", 2), ("b", 1)]


def test_dirty_lines_are_rejected_with_line_and_reason(tmp_path: Path) -> None:
    loaded = _load(
        tmp_path,
        _HEADER
        + "ok,x,1,1.00,,\n"
        + "ok,x,0,1.00,,\n"
        + "ok,x,1.5,1.00,,\n"
        + "ok,x,many,1.00,,\n"
        + "ok,x,1,0,,\n"
        + "ok,x,1,1.005,,\n"
        + "ok,,1,1.00,,\n"
        + ",x,1,1.00,,\n"
        + "bad id!,x,1,1.00,,\n"
        + "ok,x\n"
        + "bad,x,-1,1.00,,\n"
        + "odd,x,1,1.00,POUNDS,\n"
        + "odd2,x,1,NaN,,perhaps\n",
    )

    assert [order.order_id for order in loaded.orders] == ["ok"]
    assert _reasons(loaded) == [
        (3, "line", "quantity 0 is not positive"),
        (4, "line", "quantity '1.5' is not a whole number"),
        (5, "line", "quantity 'many' is not a number"),
        (6, "line", "price '0' is not positive"),
        (7, "line", "price '1.005' is finer than the minor unit of GBP"),
        (8, "line", "no stock code"),
        (9, "line", "no order id"),
        (10, "line", "order id 'bad id!' may hold only letters, digits and . _ / # @ + -, at most 100"),
        (11, "line", "it has 2 cells; the header names 6"),
        (12, "line", "quantity -1 is not positive"),
        (12, "order", "it has no valid line"),
        (13, "line", "currency 'POUNDS' is not three letters"),
        (13, "order", "it has no valid line"),
        (14, "line", "cancelled 'perhaps' is neither true nor false"),
        (14, "order", "it has no valid line"),
    ]


def test_minor_units_follow_the_currency(tmp_path: Path) -> None:
    loaded = _load(tmp_path, _HEADER + "yen,x,1,150,JPY,\ndinar,x,1,1.005,KWD,\neuro,x,1,0.29,EUR,\n")

    assert [order.total_minor for order in loaded.orders] == [150, 1005, 29]


def test_cancelled_orders_may_write_negative_quantities(tmp_path: Path) -> None:
    loaded = _load(tmp_path, _HEADER + "back,x,-3,1.00,,yes\n")

    assert loaded.orders[0].cancelled
    assert loaded.orders[0].units() == {"X": 3}


def test_two_orders_of_one_workflow_id_are_not_both_used(tmp_path: Path) -> None:
    loaded = _load(tmp_path, _HEADER + "7,x,1,1.00,,\norder-7,x,1,1.00,,\n")

    assert [order.order_id for order in loaded.orders] == ["7"]
    assert _reasons(loaded) == [(3, "order", "workflow id order-7 belongs to order 7")]


def test_other_delimiters_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    loaded = _load(tmp_path, "\ufefforder_id;sku;quantity;unit_price\na;x;1;2.50\n")

    assert loaded.orders[0].total_minor == 250


def test_bytes_that_are_no_text_reject_their_own_line_only(tmp_path: Path) -> None:
    loaded = _load(tmp_path, _HEADER.encode() + b"a,x,1,1.00,,\nb,\xff\xfe,1,1.00,,\n")

    assert [order.order_id for order in loaded.orders] == ["a"]
    assert _reasons(loaded) == [(3, "line", "it is not UTF-8")]


def test_json_lines_hold_one_order_each(tmp_path: Path) -> None:
    lines = [
        json.dumps({"order_id": "a", "lines": [{"sku": "x", "quantity": 2, "unit_price": 0.1}]}),
        "not json",
        json.dumps({"order_id": "a", "lines": []}),
        json.dumps({"order_id": "b", "lines": "x"}),
        json.dumps({"order_id": "c", "lines": [{"sku": "x", "quantity": True, "unit_price": 1}]}),
        json.dumps(
            {"order_id": 4, "lines": [{"sku": "x", "quantity": 1, "unit_price": "1"}], "cancelled": True}
        ),
        '{"order_id": "huge", "lines": [{"sku": "x", "quantity": 1, "unit_price": 1e400}]}',
    ]
    loaded = _load(tmp_path, "\n".join(lines), "orders.jsonl")

    assert [(order.order_id, order.total_minor, order.cancelled) for order in loaded.orders] == [
        ("a", 20, False),
        ("4", 100, True),
    ]
    assert [(line, what) for line, what, _ in _reasons(loaded)] == [
        (2, "order"),
        (3, "order"),
        (4, "order"),
        (5, "line"),
        (5, "order"),
        (7, "line"),
        (7, "order"),
    ]


def test_gzip_and_standard_input_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = gzip.compress((_HEADER + "a,x,1,1.00,,\n").encode())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(packed)))

    assert load_orders("-").orders[0].order_id == "a"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"name,price\nx,1\n", "no column order_id, sku, quantity, unit_price"),
        (_HEADER.encode() + b"a,x,0,1,,\n", "none of its 1 lines gives a usable order"),
        (b"\x1f\x8bbroken", "broken gzip"),
        (b'{"order_id": "a"}\n', "none of its 1 lines"),
    ],
)
def test_file_without_one_usable_order_is_the_users_mistake(
    tmp_path: Path, content: bytes, message: str
) -> None:
    with pytest.raises(OrdersFileError, match=message):
        _load(tmp_path, content)


def test_unreadable_file_is_the_users_mistake(tmp_path: Path) -> None:
    with pytest.raises(OrdersFileError, match="cannot read the orders file"):
        load_orders(str(tmp_path / "none.csv"))


def test_a_row_with_too_many_cells_is_no_guess(tmp_path: Path) -> None:
    """A decimal comma would otherwise become a wrong price."""
    loaded = _load(tmp_path, "order_id,sku,quantity,unit_price\n1,mug,1,2,50\n2,cup,1,3.00,\n")

    assert [order.order_id for order in loaded.orders] == ["2"]
    assert _reasons(loaded) == [
        (2, "line", "it has 5 cells; the header names 4 (is the separator inside a value?)"),
        (2, "order", "it has no valid line"),
    ]


def test_an_order_whose_first_line_is_short_is_not_forgotten(tmp_path: Path) -> None:
    """Refused as an order where no line is left, told by the first usable line where one is."""
    loaded = _load(tmp_path, _HEADER + "a,x\nb,x\nb,y,1,1.00,EUR,\n")

    assert [(order.order_id, order.currency) for order in loaded.orders] == [("b", "EUR")]
    assert (2, "order", "it has no valid line") in _reasons(loaded)


def test_an_open_quotation_mark_names_the_lines_that_it_swallowed(tmp_path: Path) -> None:
    """Those orders are gone, so the reason must say where they were."""
    loaded = _load(tmp_path, 'order_id,sku,quantity,unit_price\n1,mug,1,2.50\n2,cup,1,"9.99\n3,pen,1,5.00\n')

    [first, *_] = [item for item in loaded.rejected if item.line == 3]
    assert "lines 3 to 5 were read as one row: is a quotation mark not closed?" in first.reason
