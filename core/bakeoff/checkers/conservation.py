"""I1: nothing appears and nothing vanishes, neither goods nor money."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from bakeoff.checkers.evidence import Evidence
from bakeoff.checkers.observed import Fate, observe
from bakeoff.checkers.totals import RESERVES, totals_of
from bakeoff.checkers.verdict import Verdict, conclude

#: Steps of the order domain by what they do to the books.
_TAKES_MONEY = {"charge_payment", "capture_payment"}
_SHIPS = {"create_shipment"}
_TOUCHES_BOOKS = RESERVES | _TAKES_MONEY | _SHIPS


def check_conservation(evidence: Evidence) -> Verdict:
    """Stock and money add up among completed and compensated sagas; what others hold is itemised.

    Per stock code ``on hand + reserved + shipped`` equals what was stocked. Every completed order has paid
    its value, every compensated one and every one that was never started nothing. Units that are neither on
    hand nor shipped to a completed order must belong to a saga that is stuck, lost or failed.
    """
    observed = observe(evidence)
    by_fate: dict[Fate, list[str]] = {fate: [] for fate in Fate}
    for workflow_id, one in observed.items():
        order_id = evidence.planned[workflow_id].order_id
        if order_id is not None:
            by_fate[one.fate].append(order_id)
    touches = bool({step.name for step in evidence.shape.steps} & _TOUCHES_BOOKS)
    completed, compensated = by_fate[Fate.COMPLETED], by_fate[Fate.COMPENSATED]
    unstarted = by_fate[Fate.NOT_STARTED]
    findings = list[str]()
    if touches:
        findings += () if evidence.more else _stock(evidence)
        findings += _money(evidence, completed, {"compensated": compensated, "never started": unstarted})
    return conclude(
        "I1",
        "goods and money are conserved",
        findings,
        tested=len(completed) + len(compensated) if touches else 0,
        planned=sum(len(ids) for ids in by_fate.values()) if touches else 0,
        what="orders in the books",
        nothing_planned="" if touches else "the saga touches neither stock nor money",
    )


def _stock(evidence: Evidence) -> Iterator[str]:
    books = evidence.books
    ships = bool({step.name for step in evidence.shape.steps} & _SHIPS)
    sold, held = totals_of(evidence).sold, totals_of(evidence).held
    for sku, stocked in books.stocked.items():
        on_hand, reserved, shipped = books.stock.get(sku, (0, 0, 0))
        if on_hand + reserved + shipped != stocked:
            yield f"{sku}: {on_hand} on hand + {reserved} reserved + {shipped} shipped is not {stocked}"
            continue
        away = reserved + shipped
        if not sold[sku] <= away <= sold[sku] + held[sku]:
            yield (
                f"{sku}: {away} units left the shelf; completed orders took {sold[sku]}, "
                f"unfinished ones hold at most {held[sku]}"
            )
        elif ships and reserved > held[sku]:
            yield f"{sku}: {reserved} units stay reserved, unfinished sagas hold at most {held[sku]}"


def _money(evidence: Evidence, completed: list[str], others: Mapping[str, list[str]]) -> Iterator[str]:
    books = evidence.books
    takes = bool({step.name for step in evidence.shape.steps} & _TAKES_MONEY)
    for order_id in completed if takes else ():
        states, total = books.charges.get(order_id, {}), books.totals.get(order_id)
        if total is None:
            yield f"order {order_id}: completed, and the books do not know its value"
        elif states.get("captured", 0) != total or states.get("authorised", 0):
            yield f"order {order_id}: completed, worth {total}, but its charges are {dict(states)}"
    for fate, order_ids in others.items():
        for order_id in order_ids:
            states = books.charges.get(order_id, {})
            if states.get("captured", 0) or states.get("authorised", 0):
                yield f"order {order_id}: {fate}, but its charges are {dict(states)}"
    for order_id, states in books.strangers.items():
        yield f"order {order_id}: nobody ordered it, but its charges are {dict(states)}"


def held_by_unfinished(evidence: Evidence) -> dict[str, list[str]]:
    """``{workflow id: ["step", ...]}``: what stuck, lost and failed sagas still hold."""
    records = evidence.by_saga()
    held: dict[str, list[str]] = {}
    for workflow_id, one in observe(evidence).items():
        if one.fate in (Fate.COMPLETED, Fate.COMPENSATED):
            continue
        effects = Counter((r.step, r.direction) for r in records[workflow_id] if r.kind == "effect")
        steps = [
            step.name
            for step in evidence.shape.recorded
            if effects[step.name, "action"] > effects[step.name, "compensation"]
        ]
        if steps:
            held[workflow_id] = steps
    return held
