"""Orders of an ordeal: as many as it takes, with one real line each, so that no baskets are measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import cycle

from bakeoff.checkers import Planned
from bakeoff.expectation import Facts, expect
from bakeoff.orders.loader import real_orders
from bakeoff.orders.model import Line, Order
from bakeoff.saga import Saga
from bakeoff.world import Fate

#: Every tenth order is refused on its way: an ordeal without a compensation would say nothing about undoing.
REFUSED_EVERY = 10

#: What a refused order of the saga ``order`` suffers.
DECLINED: Mapping[str, Fate] = {"charge_payment:action": {"then": "decline"}}


def make_orders(prefix: str, count: int) -> list[Order]:
    """``count`` orders ``PREFIX-00001`` and so on; the same for every engine."""
    lines = cycle([order.lines[0] for order in real_orders(200).orders if not order.cancelled])
    return [
        Order(order_id=f"{prefix}-{number:05d}", lines=(line,))
        for number, line in zip(range(1, count + 1), lines, strict=False)
    ]


def lone_order(order_id: str) -> Order:
    """An order whose goods nobody else orders."""
    return Order(order_id=order_id, lines=(Line(f"ONLY-{order_id}".upper(), 1, 100),))


def stock_for(orders: Sequence[Order]) -> dict[str, int]:
    """``{stock code: units}``: enough for all of them."""
    stock: Counter[str] = Counter()
    for order in orders:
        stock.update(order.units())
    return dict(stock)


def refused(number: int) -> bool:
    """Whether order ``number`` (from 0) is one of those that are refused."""
    return number % REFUSED_EVERY == REFUSED_EVERY - 1


def plan_orders(saga: Saga, orders: Sequence[Order], *, signal: str = "") -> dict[str, Planned]:
    """``{workflow id: plan}``; every tenth is declined: at its payment, or by its ``signal``."""
    signals = frozenset({signal} if signal else ())
    good = expect(saga, {}, Facts(signals=signals))
    if signal:
        bad = expect(saga, {}, Facts(signals=signals, declines=frozenset({"require_approval"})))
    else:
        bad = expect(saga, DECLINED)
    return {
        order.workflow_id: Planned(
            workflow_id=order.workflow_id,
            input=order.order_id,
            expected=bad if refused(number) else good,
            order_id=order.order_id,
        )
        for number, order in enumerate(orders)
    }
