"""Runs with one thing wrong each, or with something that must not count as wrong, judged word by word."""

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
    broken,
    completed,
    declined,
    done,
    evidence_of,
    operation,
    spoilt,
    undone,
    usual,
)

_TRY: Entry = ("attempt", "charge_payment", "compensation")
_LATE_EFFECT: Entry = ("effect", "charge_payment", "compensation")
_DECLINED = Cause("BusinessError", "no", "charge_payment")
_BROKEN = Cause("InjectedFault", "no", "create_shipment")


def _plus(workflow_id: str, *entries: Entry) -> Evidence:
    return evidence_of(spoilt(workflow_id, lambda before: [*before, *entries]))


def _minus(workflow_id: str, *entries: Entry) -> Evidence:
    return evidence_of(spoilt(workflow_id, lambda before: [one for one in before if one not in entries]))


def _books(evidence: Evidence | None = None, **changes: Any) -> Evidence:
    evidence = evidence or evidence_of(usual())
    return replace(evidence, books=replace(evidence.books, **changes))


def _charged(order_id: str, **states: int) -> Evidence:
    return _books(charges={**evidence_of(usual()).books.charges, order_id: states})


def _says(workflow_id: str, word: Outcome | None) -> Evidence:
    return evidence_of(
        [replace(one, word=word) if one.workflow_id == workflow_id else one for one in usual()]
    )


def _untold() -> Evidence:
    whole = evidence_of(usual())
    return replace(whole, operations=[one for one in whole.operations if one.name == "start"])


def _last(told: Told) -> list[Told]:
    return [*usual()[:9], told]


def _asked(workflow_id: str, *operations: Any, ledger: bool = False) -> Evidence:
    """The client saw these operations of a saga, and nothing else of it is known."""
    whole = evidence_of(usual())
    return replace(
        whole,
        operations=[*(one for one in whole.operations if one.workflow_id != workflow_id), *operations],
        ledger=[one for one in whole.ledger if ledger or one.workflow_id != workflow_id],
    )


def _unknown(error: str | None) -> Any:
    return replace(operation("start", "order-0", error=error), completion="unknown", completed_at_s=None)


def _engine_faults(evidence: Evidence) -> Evidence:
    return replace(evidence, engine_faults=True)


def _repeated(evidence: Evidence, position: int, **changes: Any) -> Evidence:
    """One record again at the end of its ledger, changed."""
    again = replace(evidence.ledger[position], seq=len(evidence.ledger) + 1, **changes)
    return replace(evidence, ledger=[*evidence.ledger, again])


def _returned(workflow_id: str, *results: Any, said: Any) -> Evidence:
    """Reservations of one saga entered these results; the engine tells ``said``."""
    attempt, effect = done(STEPS[0])
    entries = [attempt, *[effect] * len(results), *done(*STEPS[1:])]
    told = Told(workflow_id, entries, Outcome(Status.COMPLETED, {STEPS[0]: said}))
    evidence = evidence_of([told])
    ledger = list(evidence.ledger)
    for position, result in enumerate(results, start=1):
        ledger[position] = replace(ledger[position], result=result)
    return replace(evidence, ledger=ledger)


def _gave_up(word: Outcome, tries: int = 10, **more: Any) -> Evidence:
    """The shipment is declined and the refund cannot be made: planned, for all sagas of this run."""
    fates = {
        "create_shipment:action": {"then": "decline"},
        "charge_payment:compensation": {"then": "fault"},
    }
    entries: list[Entry] = [
        *done("reserve_inventory", "charge_payment"),
        ("attempt", "create_shipment", "action"),
        *[_TRY] * tries,
        *undone("reserve_inventory"),
    ]
    return replace(evidence_of([Told("order-0", entries, word, fates)]), **more)


_GAVE_UP = Outcome(
    Status.COMPENSATION_FAILED,
    cause=Cause("BusinessError", "", "create_shipment"),
    failed_compensations=("charge_payment",),
)


def _late(*entries: Entry) -> Evidence:
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


def _parallel(*entries: Entry, word: Outcome | None = None, fates: Any = None) -> Evidence:
    told = Told("order-0", [*entries], word, fates or {}, saga=ORDER_PARALLEL)
    return evidence_of([told, completed("order-1", ORDER_PARALLEL)], ORDER_PARALLEL)


def _pivot(extra: Sequence[Entry]) -> Evidence:
    told = [completed(f"order-{number}", ORDER_PIVOT) for number in range(3)]
    told[1].entries += extra
    return evidence_of(told, ORDER_PIVOT)


def _noop() -> Evidence:
    return evidence_of([Told("order-0", done("first", "last"), Outcome(Status.COMPLETED), saga=NOOP)], NOOP)


def _alternatives() -> Evidence:
    evidence = evidence_of(usual()[:2])
    lost = expect(ORDER, {}, Facts(declines=frozenset({"reserve_inventory"})))
    plans: dict[str, Planned] = {
        name: replace(plan, alternatives=(lost,)) for name, plan in evidence.planned.items()
    }
    return replace(evidence, planned=plans)


def _first_broken(entries: Sequence[Entry]) -> Evidence:
    word = Outcome(Status.COMPENSATED, cause=Cause("InjectedFault", "", STEPS[0]))
    fates: dict[str, FatePlan] = {f"{STEPS[0]}:action": {"then": "fault"}}
    return evidence_of([Told("order-0", [*entries], word, fates)])


def _unknown_refund(word: Outcome) -> Evidence:
    """The refund takes effect, and its answer is lost every time."""
    fates: dict[str, FatePlan] = {
        "create_shipment:action": {"then": "decline"},
        "charge_payment:compensation": {"then": "unknown"},
    }
    entries = [
        *done("reserve_inventory", "charge_payment"),
        *done("create_shipment")[:1],
        _TRY,
        _LATE_EFFECT,
        *[_TRY] * 9,
        *undone("reserve_inventory"),
    ]
    return evidence_of([Told("order-0", entries, word, fates)])


def _last_undo(tries: int) -> Evidence:
    """The card is declined, and what was reserved cannot be given back."""
    fates: dict[str, FatePlan] = {
        "charge_payment:action": {"then": "decline"},
        "reserve_inventory:compensation": {"then": "fault"},
    }
    entries = [*done(STEPS[0]), *done(STEPS[1])[:1], *undone(STEPS[0])[:1] * tries]
    return evidence_of([Told("order-0", entries, None, fates)])


_WEST_BROKEN = {"reserve_west:action": {"then": "fault"}}
RUNS: dict[str, Evidence] = {
    "faithful": evidence_of(usual()),
    "no sagas": evidence_of([]),
    "only completed": evidence_of(usual()[:3]),
    "only compensated": evidence_of(usual()[6:]),
    "less than half could be tested": evidence_of(
        [completed("order-0"), *(Told(f"order-{n}", [], None) for n in range(1, 4))]
    ),
    "two of five could be tested": evidence_of(
        [completed("order-0"), completed("order-1"), *(Told(f"order-{n}", [], None) for n in range(2, 5))]
    ),
    "half could be tested": evidence_of([completed("order-0"), Told("order-1", [], None)]),
    "compensations never seen": evidence_of(
        [completed("order-0"), *(Told(one.workflow_id, [], None, one.fates) for one in usual()[7:])]
    ),
    "refund lost": _minus("order-8", _TRY, _LATE_EFFECT),
    "refund entered, never tried": _minus("order-8", _TRY),
    "reservation kept": _minus(
        "order-6",
        ("attempt", "reserve_inventory", "compensation"),
        ("effect", "reserve_inventory", "compensation"),
    ),
    "undone without reason": _plus("order-6", _TRY, ("nothing", "charge_payment", "compensation")),
    "undone without reason, after a kill": _engine_faults(
        _plus("order-6", _TRY, ("nothing", "charge_payment", "compensation"))
    ),
    "undone by nobody's attempt": _plus("order-6", ("nothing", "create_shipment", "compensation")),
    "an undo of nothing in the middle": evidence_of(
        spoilt(
            "order-8",
            lambda before: [
                *before[:-4],
                *undone("reserve_inventory"),
                ("attempt", "gift_wrap", "compensation"),
                *undone("charge_payment"),
            ],
        )
    ),
    "undo tried though its step never was, after a kill": _engine_faults(
        evidence_of(
            spoilt(
                "order-6",
                lambda before: [*before[:-2], ("attempt", "create_shipment", "compensation"), *before[-2:]],
            )
        )
    ),
    "undone though never tried, after a kill": _engine_faults(
        _plus(
            "order-6",
            ("attempt", "create_shipment", "compensation"),
            ("nothing", "create_shipment", "compensation"),
        )
    ),
    "completed saga undone": evidence_of(
        spoilt("order-0", lambda before: [*before[:-2], *undone(*reversed(STEPS[:3]))])
    ),
    "completed saga undone wholly": _plus("order-0", *undone(*reversed(STEPS))),
    "forward order": evidence_of(
        spoilt("order-8", lambda before: [*before[:-4], *undone("reserve_inventory", "charge_payment")])
    ),
    "early start": evidence_of(
        spoilt(
            "order-0",
            lambda before: [before[0], *before[2:4], before[1], *before[4:]],
        )
    ),
    "step left out": evidence_of(spoilt("order-0", lambda before: [*before[:2], *before[4:]])),
    "end left out": evidence_of(spoilt("order-0", lambda before: before[:-2])),
    "effect twice": _plus("order-0", ("effect", "charge_payment", "action")),
    "effect three times": _plus("order-0", *done("charge_payment")[1:] * 2),
    "compensation twice": _plus("order-8", _LATE_EFFECT),
    "nothing twice": _plus("order-8", ("nothing", "create_shipment", "compensation")),
    "action after its undo": _plus("order-8", ("effect", "create_shipment", "action")),
    "action after its effective undo": _plus("order-8", ("effect", "charge_payment", "action")),
    "tried too often": evidence_of(spoilt("order-0", lambda before: [before[0], *before])),
    "tried too often, after a kill": _engine_faults(
        evidence_of(spoilt("order-0", lambda before: [before[0], *before]))
    ),
    "tried too rarely": evidence_of(spoilt("order-8", lambda before: [*before[:4], *before[6:]])),
    "tried too rarely, after a kill": _engine_faults(
        evidence_of(spoilt("order-8", lambda before: [*before[:4], *before[6:]]))
    ),
    "unplanned step tried": _plus("order-6", ("attempt", "send_confirmation", "compensation")),
    "delivered again": _repeated(evidence_of(usual()), 0, repeat=True),
    "refund delivered again": _repeated(evidence_of([broken("order-8")]), 10, repeat=True),
    "effect of an overtaken attempt": replace(
        evidence_of([completed("order-0")]),
        ledger=[
            replace(one, ordinal=7) if one.kind == "effect" else one
            for one in evidence_of([completed("order-0")]).ledger
        ],
        operations=[operation("start", "order-0", value=True)],
    ),
    "settled, and nobody told": _untold(),
    "stuck": evidence_of(_last(Told("order-9", done("reserve_inventory"), None))),
    "stuck, and tried fifty times": evidence_of(
        _last(Told("order-9", done("reserve_inventory")[:1] * 50, None))
    ),
    "its last record is there, others are not": evidence_of(
        _last(replace(completed("order-9"), entries=completed("order-9").entries[2:], word=None))
    ),
    "stuck with its unit": _books(
        evidence_of(_last(Told("order-9", done("reserve_inventory"), None))), stock={"A": (3, 1, 6)}
    ),
    "stuck with two units": _books(
        evidence_of(_last(Told("order-9", done("reserve_inventory"), None))), stock={"A": (2, 2, 6)}
    ),
    "stuck while undoing": evidence_of(
        _last(Told("order-9", [*done(*STEPS[:2]), *undone("charge_payment")], None))
    ),
    "said completed, ledger compensated": _says("order-6", Outcome(Status.COMPLETED)),
    "said completed, nothing there": evidence_of(
        _last(Told("order-9", done("reserve_inventory"), Outcome(Status.COMPLETED)))
    ),
    "said compensated, half there": evidence_of(
        _last(Told("order-9", done("reserve_inventory"), Outcome(Status.COMPENSATED, cause=_BROKEN)))
    ),
    "said compensated, completed": _says("order-0", Outcome(Status.COMPENSATED, cause=_DECLINED)),
    "no cause": _says("order-6", Outcome(Status.COMPENSATED)),
    "cause without need": _says("order-0", Outcome(Status.COMPLETED, cause=_DECLINED)),
    "wrong step": _says(
        "order-6", Outcome(Status.COMPENSATED, cause=Cause("BusinessError", "", "create_shipment"))
    ),
    "wrong type": _says(
        "order-6", Outcome(Status.COMPENSATED, cause=Cause("TimeoutError", "", "charge_payment"))
    ),
    "two that fail": _says(
        "order-8",
        Outcome(Status.COMPENSATED, cause=_BROKEN, failed_compensations=("charge_payment", STEPS[0])),
    ),
    "failure of an undo that never was": _says(
        "order-8", Outcome(Status.COMPENSATED, cause=_BROKEN, failed_compensations=("send_confirmation",))
    ),
    "silent": replace(_untold(), silent="it has no result backend"),
    "right result": _returned("order-0", {"a": 1}, said={"a": 1}),
    "wrong result": _returned("order-0", {"a": 1}, said={"a": 2}),
    "one of two results": _returned("order-0", {"a": 1}, {"a": 2}, said={"a": 1}),
    "neither of two results": _returned("order-0", {"a": 1}, {"a": 2}, said={"a": 3}),
    "result of a step without effect": _says(
        "order-6", Outcome(Status.COMPENSATED, {"send_confirmation": 1}, _DECLINED)
    ),
    "word on a stranger, compensated": replace(
        evidence_of(usual()),
        operations=[
            *evidence_of(usual()).operations,
            operation("result", "order-404", value=Outcome(Status.COMPENSATED, cause=_BROKEN).to_json()),
        ],
    ),
    "word on a stranger, then a lie": replace(
        _says("order-6", Outcome(Status.COMPLETED)),
        operations=[
            operation("result", "order-404", value=Outcome(Status.COMPLETED).to_json()),
            *_says("order-6", Outcome(Status.COMPLETED)).operations,
        ],
    ),
    "a lie, then the truth": replace(
        evidence_of(usual()),
        operations=[
            operation("result", "order-6", value=Outcome(Status.COMPLETED).to_json()),
            *evidence_of(usual()).operations,
        ],
    ),
    "word on a stranger": replace(
        evidence_of(usual()),
        operations=[
            *evidence_of(usual()).operations,
            operation("result", "order-404", value=_GAVE_UP.to_json()),
        ],
    ),
    "failed result": replace(
        evidence_of(usual()),
        operations=[*evidence_of(usual()).operations, operation("result", "order-0", error="OSError: x")],
    ),
    "signals do not start": _asked("order-0", operation("signal", "order-0", value=True)),
    "lost": _asked(
        "order-0",
        operation("start", "order-0", value=True),
        operation("result", "order-0", error="WorkflowNotFoundError: order-0"),
    ),
    "start refused": _asked("order-0", operation("start", "order-0", error="RuntimeError: no")),
    "starts refused": replace(
        evidence_of(usual()),
        operations=[operation("start", one.workflow_id, error="RuntimeError: no") for one in usual()],
        ledger=[],
    ),
    "start refused, then taken": _asked(
        "order-0",
        operation("start", "order-0", error="RuntimeError: no"),
        operation("start", "order-0", value=True),
    ),
    "start refused, but it ran": _asked(
        "order-0", operation("start", "order-0", error="RuntimeError: no"), ledger=True
    ),
    "start refused, and it got stuck": replace(
        evidence_of(_last(Told("order-9", done("reserve_inventory"), None))),
        operations=[
            *(one for one in evidence_of(usual()).operations if one.workflow_id != "order-9"),
            operation("start", "order-9", error="RuntimeError: no"),
        ],
    ),
    "never started by us, but it ran": _asked("order-0", ledger=True),
    "started, then refused because it is there": replace(
        evidence_of(usual()),
        operations=[
            *evidence_of(usual()).operations,
            operation("start", "order-0", error="WorkflowConflictError: order-0"),
        ],
    ),
    "start refused twice": _asked(
        "order-0",
        operation("start", "order-0", error="RuntimeError: no"),
        operation("start", "order-0", error="RuntimeError: never"),
    ),
    "never tried": _asked("order-0"),
    "start unknown": _asked("order-0", _unknown("StartUnknownError: gone")),
    "start without an answer": _asked("order-0", _unknown(None)),
    "start unknown, but it ran": _asked("order-0", _unknown("StartUnknownError: gone"), ledger=True),
    "start unknown, and it got stuck": replace(
        evidence_of(_last(Told("order-9", done("reserve_inventory"), None))),
        operations=[
            *(one for one in evidence_of(usual()).operations if one.workflow_id != "order-9"),
            replace(_unknown("StartUnknownError: gone"), workflow_id="order-9"),
        ],
    ),
    "stranger": _repeated(evidence_of(usual()), 0, workflow_id="order-404"),
    "rejected": replace(evidence_of(usual()), rejected=3),
    "rejected, as planned": replace(evidence_of(usual()), rejected=3, rejected_planned=3),
    "rejected, not listed": replace(evidence_of(usual()), rejected=2, rejected_planned=3),
    "sums": replace(evidence_of(usual()), counts={"completed": 7, "compensated": 3}),
    "unit vanished": _books(stock={"A": (3, 0, 6)}),
    "unit shipped to nobody": _books(stock={"A": (3, 0, 7)}),
    "two reserved, one held": _books(
        evidence_of([*usual(), Told("order-10", done("reserve_inventory"), None)]), stock={"A": (4, 2, 5)}
    ),
    "charges of a stranger": _books(strangers={"404": {"captured": 500}}),
    "a stock code that nobody stocked": _books(
        stocked={"A": 10, "B": 0}, stock={"A": (4, 0, 6), "B": (0, 0, 1)}
    ),
    "released in the ledger, reserved in the books": _books(_gave_up(_GAVE_UP), stock={"A": (0, 1, 0)}),
    "unit never sent": _books(stock={"A": (5, 0, 5)}),
    "unit reserved for nobody": _books(stock={"A": (4, 1, 5)}),
    "shelf missing": _books(stock={}),
    "two shelves": _books(stocked={"A": 10, "B": 2}, stock={"A": (4, 0, 6), "B": (1, 0, 0)}),
    "first shelf wrong, second held": _books(
        stocked={"A": 9, "B": 2}, stock={"A": (4, 0, 6), "B": (1, 1, 0)}
    ),
    "larger baskets": _books(baskets={str(n): {"A": 2} for n in range(10)}),
    "unknown baskets": _books(baskets={}),
    "paid too little": _charged("0", captured=499),
    "paid and held": _charged("0", captured=500, authorised=1),
    "paid for nothing": _charged("8", captured=500),
    "held for nothing": _charged("7", authorised=500),
    "never paid": _charged("0"),
    "no charges": _books(charges={}),
    "no values": _books(totals={}),
    "charged twice": _books(charge_counts={"0": 2}),
    "shipped twice": _books(shipment_counts={"1": 2, "2": 1}),
    "confirmed three times": _books(message_counts={"2": 3}),
    "planned failure": _gave_up(_GAVE_UP),
    "planned failure, one try too few": _gave_up(_GAVE_UP, tries=9),
    "planned failure, one try too many": _gave_up(_GAVE_UP, tries=11),
    "planned failure without a name": _gave_up(replace(_GAVE_UP, failed_compensations=())),
    "planned failure with another name": _gave_up(replace(_GAVE_UP, failed_compensations=(STEPS[2],))),
    "planned failure denied": _gave_up(
        Outcome(Status.COMPENSATED, cause=Cause("BusinessError", "", "create_shipment"))
    ),
    "planned failure, nobody told": replace(
        _gave_up(_GAVE_UP), operations=[operation("start", "order-0", value=True)]
    ),
    "late undo in time": _late(_TRY, _TRY, _LATE_EFFECT, *undone("reserve_inventory")),
    "late undo": _late(
        _TRY, _TRY, ("attempt", STEPS[0], "compensation"), _LATE_EFFECT, ("effect", STEPS[0], "compensation")
    ),
    "undo tried late": _late(_TRY, *undone("reserve_inventory"), _TRY, _LATE_EFFECT),
    "cancelled": evidence_of(
        [
            Told(
                "order-0",
                [*done(STEPS[0]), *undone(STEPS[0])],
                Outcome(Status.COMPENSATED, cause=Cause("Cancelled", "", "charge_payment")),
                facts=Facts(cancelled_during=STEPS[0]),
            )
        ]
    ),
    "cancelled, another cause": evidence_of(
        [
            Told(
                "order-0",
                [*done(STEPS[0]), *undone(STEPS[0])],
                Outcome(Status.COMPENSATED, cause=_DECLINED),
                facts=Facts(cancelled_during=STEPS[0]),
            )
        ]
    ),
    "parallel": _parallel(*completed("", ORDER_PARALLEL).entries, word=Outcome(Status.COMPLETED)),
    "parallel, the other way round": _parallel(
        *done("reserve_west", "reserve_east", "charge_payment", "create_shipment", "send_confirmation"),
        word=Outcome(Status.COMPLETED),
    ),
    "parallel, one side missing": _parallel(
        *done("reserve_west", "charge_payment", "create_shipment", "send_confirmation"),
        word=Outcome(Status.COMPLETED),
    ),
    "parallel, one side broken": _parallel(
        *done("reserve_east"),
        *done("reserve_west")[:1] * 3,
        ("attempt", "reserve_west", "compensation"),
        *undone("reserve_east"),
        ("nothing", "reserve_west", "compensation"),
        word=Outcome(Status.COMPENSATED, cause=Cause("InjectedFault", "", "reserve_west")),
        fates=_WEST_BROKEN,
    ),
    "parallel, a needless undo left out": _parallel(
        *done("reserve_east"),
        *done("reserve_west")[:1] * 3,
        ("attempt", "reserve_west", "compensation"),
        *undone("reserve_east"),
        word=Outcome(Status.COMPENSATED, cause=Cause("InjectedFault", "", "reserve_west")),
        fates=_WEST_BROKEN,
    ),
    "parallel, both broken, another cause": _parallel(
        word=Outcome(Status.COMPENSATED, cause=Cause("InjectedFault", "", "charge_payment")),
        fates={**_WEST_BROKEN, "reserve_east:action": {"then": "fault"}},
    ),
    "needless undo left out": _first_broken(done(STEPS[0])[:1] * 3),
    "needless undo": _first_broken(
        [*done(STEPS[0])[:1] * 3, *undone(STEPS[0])[:1], ("nothing", STEPS[0], "compensation")]
    ),
    "needless undo said to have failed": _says(
        "order-8",
        Outcome(Status.COMPENSATED, cause=_BROKEN, failed_compensations=("create_shipment",)),
    ),
    "failure although it took effect": _unknown_refund(_GAVE_UP),
    "completed, but it could be one of two": _unknown_refund(Outcome(Status.COMPLETED)),
    "last undo gave up, nobody told": _last_undo(10),
    "last undo has one try left, nobody told": _last_undo(9),
    "strange step": _plus("order-0", ("attempt", "gift_wrap", "action"), ("effect", "gift_wrap", "action")),
    "strange step undone": _plus("order-8", ("attempt", "gift_wrap", "compensation"), _TRY),
    "tried early, acted in order": evidence_of(
        spoilt("order-0", lambda before: [before[0], before[2], before[1], *before[3:]])
    ),
    "delivered again, then undone in the wrong order": _repeated(
        _repeated(evidence_of([broken("order-8")]), 10, repeat=True), 8
    ),
    "past the pivot": _pivot([]),
    "undone past the pivot": _pivot(undone("create_shipment")),
    "undone before the pivot": evidence_of(
        [
            Told(
                "order-0",
                [*done("reserve_inventory"), ("attempt", "authorize_payment", "action"), *undone(STEPS[0])],
                Outcome(Status.COMPENSATED, cause=Cause("BusinessError", "", "authorize_payment")),
                {"authorize_payment:action": {"then": "decline"}},
                saga=ORDER_PIVOT,
            )
        ],
        ORDER_PIVOT,
    ),
    "no books touched": _noop(),
    "without an order": replace(
        evidence_of([completed("order-0"), declined("order-1")]),
        planned={
            name: replace(plan, order_id=None)
            for name, plan in evidence_of([completed("order-0"), declined("order-1")]).planned.items()
        },
    ),
    "several ends": _alternatives(),
}
