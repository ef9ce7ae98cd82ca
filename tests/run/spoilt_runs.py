"""Runs with one thing wrong each, or with something that must not count as wrong, judged word by word."""

from __future__ import annotations

from dataclasses import replace

from bakeoff.checkers import Evidence
from bakeoff.expectation import Facts
from bakeoff.orders import ORDER_PARALLEL, ORDER_PIVOT
from bakeoff.outcome import Cause, Outcome, Status
from tests.run.evidence_builder import (
    STEPS,
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
from tests.run.spoiling import (
    BROKEN,
    DECLINED,
    GAVE_UP,
    LATE_EFFECT,
    TRY,
    alternatives,
    asked,
    books,
    charged,
    engine_faults,
    first_broken,
    gave_up,
    last,
    last_undo,
    late,
    minus,
    noop,
    parallel,
    pivot,
    plus,
    repeated,
    returned,
    says,
    unknown,
    unknown_refund,
    untold,
)

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
    "refund lost": minus("order-8", TRY, LATE_EFFECT),
    "refund entered, never tried": minus("order-8", TRY),
    "reservation kept": minus(
        "order-6",
        ("attempt", "reserve_inventory", "compensation"),
        ("effect", "reserve_inventory", "compensation"),
    ),
    "undone without reason": plus("order-6", TRY, ("nothing", "charge_payment", "compensation")),
    "undone without reason, after a kill": engine_faults(
        plus("order-6", TRY, ("nothing", "charge_payment", "compensation"))
    ),
    "undone by nobody's attempt": plus("order-6", ("nothing", "create_shipment", "compensation")),
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
    "undo tried though its step never was, after a kill": engine_faults(
        evidence_of(
            spoilt(
                "order-6",
                lambda before: [*before[:-2], ("attempt", "create_shipment", "compensation"), *before[-2:]],
            )
        )
    ),
    "undone though never tried, after a kill": engine_faults(
        plus(
            "order-6",
            ("attempt", "create_shipment", "compensation"),
            ("nothing", "create_shipment", "compensation"),
        )
    ),
    "completed saga undone": evidence_of(
        spoilt("order-0", lambda before: [*before[:-2], *undone(*reversed(STEPS[:3]))])
    ),
    "completed saga undone wholly": plus("order-0", *undone(*reversed(STEPS))),
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
    "effect twice": plus("order-0", ("effect", "charge_payment", "action")),
    "effect three times": plus("order-0", *done("charge_payment")[1:] * 2),
    "compensation twice": plus("order-8", LATE_EFFECT),
    "nothing twice": plus("order-8", ("nothing", "create_shipment", "compensation")),
    "action after its undo": plus("order-8", ("effect", "create_shipment", "action")),
    "action after its effective undo": plus("order-8", ("effect", "charge_payment", "action")),
    "tried too often": evidence_of(spoilt("order-0", lambda before: [before[0], *before])),
    "tried too often, after a kill": engine_faults(
        evidence_of(spoilt("order-0", lambda before: [before[0], *before]))
    ),
    "tried too rarely": evidence_of(spoilt("order-8", lambda before: [*before[:4], *before[6:]])),
    "tried too rarely, after a kill": engine_faults(
        evidence_of(spoilt("order-8", lambda before: [*before[:4], *before[6:]]))
    ),
    "unplanned step tried": plus("order-6", ("attempt", "send_confirmation", "compensation")),
    "delivered again": repeated(evidence_of(usual()), 0, repeat=True),
    "refund delivered again": repeated(evidence_of([broken("order-8")]), 10, repeat=True),
    "effect of an overtaken attempt": replace(
        evidence_of([completed("order-0")]),
        ledger=[
            replace(one, ordinal=7) if one.kind == "effect" else one
            for one in evidence_of([completed("order-0")]).ledger
        ],
        operations=[operation("start", "order-0", value=True)],
    ),
    "settled, and nobody told": untold(),
    "stuck": evidence_of(last(Told("order-9", done("reserve_inventory"), None))),
    "stuck, and tried fifty times": evidence_of(
        last(Told("order-9", done("reserve_inventory")[:1] * 50, None))
    ),
    "its last record is there, others are not": evidence_of(
        last(replace(completed("order-9"), entries=completed("order-9").entries[2:], word=None))
    ),
    "stuck with its unit": books(
        evidence_of(last(Told("order-9", done("reserve_inventory"), None))), stock={"A": (3, 1, 6)}
    ),
    "stuck with two units": books(
        evidence_of(last(Told("order-9", done("reserve_inventory"), None))), stock={"A": (2, 2, 6)}
    ),
    "stuck while undoing": evidence_of(
        last(Told("order-9", [*done(*STEPS[:2]), *undone("charge_payment")], None))
    ),
    "said completed, ledger compensated": says("order-6", Outcome(Status.COMPLETED)),
    "said completed, nothing there": evidence_of(
        last(Told("order-9", done("reserve_inventory"), Outcome(Status.COMPLETED)))
    ),
    "said compensated, half there": evidence_of(
        last(Told("order-9", done("reserve_inventory"), Outcome(Status.COMPENSATED, cause=BROKEN)))
    ),
    "said compensated, completed": says("order-0", Outcome(Status.COMPENSATED, cause=DECLINED)),
    "no cause": says("order-6", Outcome(Status.COMPENSATED)),
    "cause without need": says("order-0", Outcome(Status.COMPLETED, cause=DECLINED)),
    "wrong step": says(
        "order-6", Outcome(Status.COMPENSATED, cause=Cause("BusinessError", "", "create_shipment"))
    ),
    "wrong type": says(
        "order-6", Outcome(Status.COMPENSATED, cause=Cause("TimeoutError", "", "charge_payment"))
    ),
    "two that fail": says(
        "order-8",
        Outcome(Status.COMPENSATED, cause=BROKEN, failed_compensations=("charge_payment", STEPS[0])),
    ),
    "failure of an undo that never was": says(
        "order-8", Outcome(Status.COMPENSATED, cause=BROKEN, failed_compensations=("send_confirmation",))
    ),
    "silent": replace(untold(), silent="it has no result backend"),
    "right result": returned("order-0", {"a": 1}, said={"a": 1}),
    "wrong result": returned("order-0", {"a": 1}, said={"a": 2}),
    "one of two results": returned("order-0", {"a": 1}, {"a": 2}, said={"a": 1}),
    "neither of two results": returned("order-0", {"a": 1}, {"a": 2}, said={"a": 3}),
    "result of a step without effect": says(
        "order-6", Outcome(Status.COMPENSATED, {"send_confirmation": 1}, DECLINED)
    ),
    "word on a stranger, compensated": replace(
        evidence_of(usual()),
        operations=[
            *evidence_of(usual()).operations,
            operation("result", "order-404", value=Outcome(Status.COMPENSATED, cause=BROKEN).to_json()),
        ],
    ),
    "word on a stranger, then a lie": replace(
        says("order-6", Outcome(Status.COMPLETED)),
        operations=[
            operation("result", "order-404", value=Outcome(Status.COMPLETED).to_json()),
            *says("order-6", Outcome(Status.COMPLETED)).operations,
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
            operation("result", "order-404", value=GAVE_UP.to_json()),
        ],
    ),
    "failed result": replace(
        evidence_of(usual()),
        operations=[*evidence_of(usual()).operations, operation("result", "order-0", error="OSError: x")],
    ),
    "signals do not start": asked("order-0", operation("signal", "order-0", value=True)),
    "lost": asked(
        "order-0",
        operation("start", "order-0", value=True),
        operation("result", "order-0", error="WorkflowNotFoundError: order-0"),
    ),
    "start refused": asked("order-0", operation("start", "order-0", error="RuntimeError: no")),
    "starts refused": replace(
        evidence_of(usual()),
        operations=[operation("start", one.workflow_id, error="RuntimeError: no") for one in usual()],
        ledger=[],
    ),
    "start refused, then taken": asked(
        "order-0",
        operation("start", "order-0", error="RuntimeError: no"),
        operation("start", "order-0", value=True),
    ),
    "start refused, but it ran": asked(
        "order-0", operation("start", "order-0", error="RuntimeError: no"), ledger=True
    ),
    "start refused, and it got stuck": replace(
        evidence_of(last(Told("order-9", done("reserve_inventory"), None))),
        operations=[
            *(one for one in evidence_of(usual()).operations if one.workflow_id != "order-9"),
            operation("start", "order-9", error="RuntimeError: no"),
        ],
    ),
    "never started by us, but it ran": asked("order-0", ledger=True),
    "started, then refused because it is there": replace(
        evidence_of(usual()),
        operations=[
            *evidence_of(usual()).operations,
            operation("start", "order-0", error="WorkflowConflictError: order-0"),
        ],
    ),
    "start refused twice": asked(
        "order-0",
        operation("start", "order-0", error="RuntimeError: no"),
        operation("start", "order-0", error="RuntimeError: never"),
    ),
    "never tried": asked("order-0"),
    "start unknown": asked("order-0", unknown("StartUnknownError: gone")),
    "start without an answer": asked("order-0", unknown(None)),
    "start unknown, but it ran": asked("order-0", unknown("StartUnknownError: gone"), ledger=True),
    "start unknown, and it got stuck": replace(
        evidence_of(last(Told("order-9", done("reserve_inventory"), None))),
        operations=[
            *(one for one in evidence_of(usual()).operations if one.workflow_id != "order-9"),
            replace(unknown("StartUnknownError: gone"), workflow_id="order-9"),
        ],
    ),
    "stranger": repeated(evidence_of(usual()), 0, workflow_id="order-404"),
    "rejected": replace(evidence_of(usual()), rejected=3),
    "rejected, as planned": replace(evidence_of(usual()), rejected=3, rejected_planned=3),
    "rejected, not listed": replace(evidence_of(usual()), rejected=2, rejected_planned=3),
    "sums": replace(evidence_of(usual()), counts={"completed": 7, "compensated": 3}),
    "unit vanished": books(stock={"A": (3, 0, 6)}),
    "unit shipped to nobody": books(stock={"A": (3, 0, 7)}),
    "two reserved, one held": books(
        evidence_of([*usual(), Told("order-10", done("reserve_inventory"), None)]), stock={"A": (4, 2, 5)}
    ),
    "charges of a stranger": books(strangers={"404": {"captured": 500}}),
    "a stock code that nobody stocked": books(
        stocked={"A": 10, "B": 0}, stock={"A": (4, 0, 6), "B": (0, 0, 1)}
    ),
    "released in the ledger, reserved in the books": books(gave_up(GAVE_UP), stock={"A": (0, 1, 0)}),
    "unit never sent": books(stock={"A": (5, 0, 5)}),
    "unit reserved for nobody": books(stock={"A": (4, 1, 5)}),
    "shelf missing": books(stock={}),
    "two shelves": books(stocked={"A": 10, "B": 2}, stock={"A": (4, 0, 6), "B": (1, 0, 0)}),
    "first shelf wrong, second held": books(stocked={"A": 9, "B": 2}, stock={"A": (4, 0, 6), "B": (1, 1, 0)}),
    "larger baskets": books(baskets={str(n): {"A": 2} for n in range(10)}),
    "unknown baskets": books(baskets={}),
    "paid too little": charged("0", captured=499),
    "paid and held": charged("0", captured=500, authorised=1),
    "paid for nothing": charged("8", captured=500),
    "held for nothing": charged("7", authorised=500),
    "never paid": charged("0"),
    "no charges": books(charges={}),
    "no values": books(totals={}),
    "charged twice": books(charge_counts={"0": 2}),
    "shipped twice": books(shipment_counts={"1": 2, "2": 1}),
    "confirmed three times": books(message_counts={"2": 3}),
    "planned failure": gave_up(GAVE_UP),
    "planned failure, one try too few": gave_up(GAVE_UP, tries=9),
    "planned failure, one try too many": gave_up(GAVE_UP, tries=11),
    "planned failure without a name": gave_up(replace(GAVE_UP, failed_compensations=())),
    "planned failure with another name": gave_up(replace(GAVE_UP, failed_compensations=(STEPS[2],))),
    "planned failure denied": gave_up(
        Outcome(Status.COMPENSATED, cause=Cause("BusinessError", "", "create_shipment"))
    ),
    "planned failure, nobody told": replace(
        gave_up(GAVE_UP), operations=[operation("start", "order-0", value=True)]
    ),
    "late undo in time": late(TRY, TRY, LATE_EFFECT, *undone("reserve_inventory")),
    "late undo": late(
        TRY, TRY, ("attempt", STEPS[0], "compensation"), LATE_EFFECT, ("effect", STEPS[0], "compensation")
    ),
    "undo tried late": late(TRY, *undone("reserve_inventory"), TRY, LATE_EFFECT),
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
                Outcome(Status.COMPENSATED, cause=DECLINED),
                facts=Facts(cancelled_during=STEPS[0]),
            )
        ]
    ),
    "parallel": parallel(*completed("", ORDER_PARALLEL).entries, word=Outcome(Status.COMPLETED)),
    "parallel, the other way round": parallel(
        *done("reserve_west", "reserve_east", "charge_payment", "create_shipment", "send_confirmation"),
        word=Outcome(Status.COMPLETED),
    ),
    "parallel, one side missing": parallel(
        *done("reserve_west", "charge_payment", "create_shipment", "send_confirmation"),
        word=Outcome(Status.COMPLETED),
    ),
    "parallel, one side broken": parallel(
        *done("reserve_east"),
        *done("reserve_west")[:1] * 3,
        ("attempt", "reserve_west", "compensation"),
        *undone("reserve_east"),
        ("nothing", "reserve_west", "compensation"),
        word=Outcome(Status.COMPENSATED, cause=Cause("InjectedFault", "", "reserve_west")),
        fates=_WEST_BROKEN,
    ),
    "parallel, a needless undo left out": parallel(
        *done("reserve_east"),
        *done("reserve_west")[:1] * 3,
        ("attempt", "reserve_west", "compensation"),
        *undone("reserve_east"),
        word=Outcome(Status.COMPENSATED, cause=Cause("InjectedFault", "", "reserve_west")),
        fates=_WEST_BROKEN,
    ),
    "parallel, both broken, another cause": parallel(
        word=Outcome(Status.COMPENSATED, cause=Cause("InjectedFault", "", "charge_payment")),
        fates={**_WEST_BROKEN, "reserve_east:action": {"then": "fault"}},
    ),
    "needless undo left out": first_broken(done(STEPS[0])[:1] * 3),
    "needless undo": first_broken(
        [*done(STEPS[0])[:1] * 3, *undone(STEPS[0])[:1], ("nothing", STEPS[0], "compensation")]
    ),
    "needless undo said to have failed": says(
        "order-8",
        Outcome(Status.COMPENSATED, cause=BROKEN, failed_compensations=("create_shipment",)),
    ),
    "failure although it took effect": unknown_refund(GAVE_UP),
    "completed, but it could be one of two": unknown_refund(Outcome(Status.COMPLETED)),
    "last undo gave up, nobody told": last_undo(10),
    "last undo has one try left, nobody told": last_undo(9),
    "strange step": plus("order-0", ("attempt", "gift_wrap", "action"), ("effect", "gift_wrap", "action")),
    "strange step undone": plus("order-8", ("attempt", "gift_wrap", "compensation"), TRY),
    "tried early, acted in order": evidence_of(
        spoilt("order-0", lambda before: [before[0], before[2], before[1], *before[3:]])
    ),
    "delivered again, then undone in the wrong order": repeated(
        repeated(evidence_of([broken("order-8")]), 10, repeat=True), 8
    ),
    "past the pivot": pivot([]),
    "undone past the pivot": pivot(undone("create_shipment")),
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
    "no books touched": noop(),
    "without an order": replace(
        evidence_of([completed("order-0"), declined("order-1")]),
        planned={
            name: replace(plan, order_id=None)
            for name, plan in evidence_of([completed("order-0"), declined("order-1")]).planned.items()
        },
    ),
    "several ends": alternatives(),
}
