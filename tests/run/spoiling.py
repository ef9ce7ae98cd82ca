"""Ways to put one thing wrong into what a run left, or one that must not count as wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bakeoff.checkers import Evidence, Planned
from bakeoff.expectation import Facts, FatePlan, expect
from bakeoff.orders import NOOP, ORDER, ORDER_PARALLEL, ORDER_PIVOT
from bakeoff.outcome import Cause, Outcome, Status
from tests.run.evidence_builder import (
    STEPS,
    Entry,
    Told,
    completed,
    done,
    evidence_of,
    operation,
    spoilt,
    undone,
    usual,
)

TRY: Entry = ("attempt", "charge_payment", "compensation")
LATE_EFFECT: Entry = ("effect", "charge_payment", "compensation")
DECLINED = Cause("BusinessError", "no", "charge_payment")
BROKEN = Cause("InjectedFault", "no", "create_shipment")


def plus(workflow_id: str, *entries: Entry) -> Evidence:
    """With entries of one saga more."""
    return evidence_of(spoilt(workflow_id, lambda before: [*before, *entries]))


def minus(workflow_id: str, *entries: Entry) -> Evidence:
    """Without entries of one saga."""
    return evidence_of(spoilt(workflow_id, lambda before: [one for one in before if one not in entries]))


def books(evidence: Evidence | None = None, **changes: Any) -> Evidence:
    """With other books."""
    evidence = evidence or evidence_of(usual())
    return replace(evidence, books=replace(evidence.books, **changes))


def charged(order_id: str, **states: int) -> Evidence:
    """With other charges of one order in the books."""
    return books(charges={**evidence_of(usual()).books.charges, order_id: states})


def says(workflow_id: str, word: Outcome | None) -> Evidence:
    """With another word of the engine about one saga."""
    return evidence_of(
        [replace(one, word=word) if one.workflow_id == workflow_id else one for one in usual()]
    )


def untold() -> Evidence:
    """Nobody asked how any saga ended."""
    whole = evidence_of(usual())
    return replace(whole, operations=[one for one in whole.operations if one.name == "start"])


def last(told: Told) -> list[Told]:
    """The last saga is another."""
    return [*usual()[:9], told]


def asked(workflow_id: str, *operations: Any, ledger: bool = False) -> Evidence:
    """The client saw these operations of a saga, and nothing else of it is known."""
    whole = evidence_of(usual())
    return replace(
        whole,
        operations=[*(one for one in whole.operations if one.workflow_id != workflow_id), *operations],
        ledger=[one for one in whole.ledger if ledger or one.workflow_id != workflow_id],
    )


def unknown(error: str | None) -> Any:
    """A start whose answer never came."""
    return replace(operation("start", "order-0", error=error), completion="unknown", completed_at_s=None)


def engine_faults(evidence: Evidence) -> Evidence:
    """Processes were killed on purpose."""
    return replace(evidence, engine_faults=True)


def repeated(evidence: Evidence, position: int, **changes: Any) -> Evidence:
    """One record again at the end of its ledger, changed."""
    again = replace(evidence.ledger[position], seq=len(evidence.ledger) + 1, **changes)
    return replace(evidence, ledger=[*evidence.ledger, again])


def returned(workflow_id: str, *results: Any, said: Any) -> Evidence:
    """Reservations of one saga entered these results; the engine tells ``said``."""
    attempt, effect = done(STEPS[0])
    entries = [attempt, *[effect] * len(results), *done(*STEPS[1:])]
    told = Told(workflow_id, entries, Outcome(Status.COMPLETED, {STEPS[0]: said}))
    evidence = evidence_of([told])
    ledger = list(evidence.ledger)
    for position, result in enumerate(results, start=1):
        ledger[position] = replace(ledger[position], result=result)
    return replace(evidence, ledger=ledger)


def gave_up(word: Outcome, tries: int = 10, **more: Any) -> Evidence:
    """The shipment is declined and the refund cannot be made: planned, for all sagas of this run."""
    fates = {
        "create_shipment:action": {"then": "decline"},
        "charge_payment:compensation": {"then": "fault"},
    }
    entries: list[Entry] = [
        *done("reserve_inventory", "charge_payment"),
        ("attempt", "create_shipment", "action"),
        *[TRY] * tries,
        *undone("reserve_inventory"),
    ]
    return replace(evidence_of([Told("order-0", entries, word, fates)]), **more)


GAVE_UP = Outcome(
    Status.COMPENSATION_FAILED,
    cause=Cause("BusinessError", "", "create_shipment"),
    failed_compensations=("charge_payment",),
)


def late(*entries: Entry) -> Evidence:
    """The refund timed out once: its effect may come whenever its thread gets to it."""
    fates: dict[str, FatePlan] = {
        "create_shipment:action": {"then": "decline"},
        "charge_payment:compensation": {"first": ["slow:3600"]},
    }
    begun: list[Entry] = [
        *done("reserve_inventory", "charge_payment"),
        ("attempt", "create_shipment", "action"),
    ]
    word = Outcome(Status.COMPENSATED, cause=Cause("BusinessError", "", "create_shipment"))
    return evidence_of([Told("order-0", [*begun, *entries], word, fates)])


def parallel(*entries: Entry, word: Outcome | None = None, fates: Any = None) -> Evidence:
    """Two sagas with a group, the first of them with these entries."""
    told = Told("order-0", [*entries], word, fates or {}, saga=ORDER_PARALLEL)
    return evidence_of([told, completed("order-1", ORDER_PARALLEL)], ORDER_PARALLEL)


def pivot(extra: Sequence[Entry]) -> Evidence:
    """Three sagas with a pivot, the second of them with entries more."""
    told = [completed(f"order-{number}", ORDER_PIVOT) for number in range(3)]
    told[1].entries += extra
    return evidence_of(told, ORDER_PIVOT)


def noop() -> Evidence:
    """One saga whose steps act nowhere."""
    return evidence_of([Told("order-0", done("first", "last"), Outcome(Status.COMPLETED), saga=NOOP)], NOOP)


def alternatives() -> Evidence:
    """Two sagas for which the plan allows another end as well."""
    evidence = evidence_of(usual()[:2])
    lost = expect(ORDER, {}, Facts(declines=frozenset({"reserve_inventory"})))
    plans: dict[str, Planned] = {
        name: replace(plan, alternatives=(lost,)) for name, plan in evidence.planned.items()
    }
    return replace(evidence, planned=plans)


def first_broken(entries: Sequence[Entry]) -> Evidence:
    """The first step's attempts are used up."""
    word = Outcome(Status.COMPENSATED, cause=Cause("InjectedFault", "", STEPS[0]))
    fates: dict[str, FatePlan] = {f"{STEPS[0]}:action": {"then": "fault"}}
    return evidence_of([Told("order-0", [*entries], word, fates)])


def unknown_refund(word: Outcome) -> Evidence:
    """The refund takes effect, and its answer is lost every time."""
    fates: dict[str, FatePlan] = {
        "create_shipment:action": {"then": "decline"},
        "charge_payment:compensation": {"then": "unknown"},
    }
    entries = [
        *done("reserve_inventory", "charge_payment"),
        *done("create_shipment")[:1],
        TRY,
        LATE_EFFECT,
        *[TRY] * 9,
        *undone("reserve_inventory"),
    ]
    return evidence_of([Told("order-0", entries, word, fates)])


def last_undo(tries: int) -> Evidence:
    """The card is declined, and what was reserved cannot be given back."""
    fates: dict[str, FatePlan] = {
        "charge_payment:action": {"then": "decline"},
        "reserve_inventory:compensation": {"then": "fault"},
    }
    entries = [*done(STEPS[0]), *done(STEPS[1])[:1], *undone(STEPS[0])[:1] * tries]
    return evidence_of([Told("order-0", entries, None, fates)])
