"""A faithful engine on paper: evidence of sagas that went exactly as planned, to be spoilt by tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bakeoff.checkers import Books, Evidence, Planned, Shape, judge
from bakeoff.checkers.verdict import Validity, Verdict
from bakeoff.expectation import Facts, FatePlan, expect
from bakeoff.history import Operation
from bakeoff.orders import ORDER
from bakeoff.outcome import Cause, Outcome, Status
from bakeoff.saga import Direction, Saga
from bakeoff.world.ledger import Record

#: ``(kind, step, direction)`` of one ledger line.
Entry = tuple[str, str, Direction]

PRICE = 500


@dataclass
class Told:
    """One saga: its plan, what the ledger shows of it, and what the engine said."""

    workflow_id: str
    entries: list[Entry]
    word: Outcome | None
    fates: Mapping[str, FatePlan] = field(default_factory=dict)
    facts: Facts = field(default_factory=Facts)
    saga: Saga = ORDER

    @property
    def order_id(self) -> str:
        return self.workflow_id.removeprefix("order-")


def done(*steps: str) -> list[Entry]:
    """Each step tried once with success."""
    return [entry for step in steps for entry in (_attempt(step, "action"), _effect(step, "action"))]


def undone(*steps: str) -> list[Entry]:
    """Each step compensated at the first try."""
    return [
        entry for step in steps for entry in (_attempt(step, "compensation"), _effect(step, "compensation"))
    ]


def _attempt(step: str, direction: Direction) -> Entry:
    return ("attempt", step, direction)


def _effect(step: str, direction: Direction) -> Entry:
    return ("effect", step, direction)


STEPS = ("reserve_inventory", "charge_payment", "create_shipment", "send_confirmation")


def completed(workflow_id: str, saga: Saga = ORDER) -> Told:
    names = [step.name for step in saga.steps()]
    return Told(workflow_id, done(*names), Outcome(Status.COMPLETED), saga=saga)


def declined(workflow_id: str) -> Told:
    """The card is declined: one step to undo."""
    return Told(
        workflow_id,
        [*done("reserve_inventory"), _attempt("charge_payment", "action"), *undone("reserve_inventory")],
        Outcome(Status.COMPENSATED, cause=Cause("BusinessError", "no", "charge_payment")),
        {"charge_payment:action": {"then": "decline"}},
    )


def broken(workflow_id: str) -> Told:
    """The shipment fails three times: its own undo finds nothing, then two more."""
    return Told(
        workflow_id,
        [
            *done("reserve_inventory", "charge_payment"),
            *[_attempt("create_shipment", "action")] * 3,
            _attempt("create_shipment", "compensation"),
            ("nothing", "create_shipment", "compensation"),
            ("tombstone", "create_shipment", "action"),
            *undone("charge_payment", "reserve_inventory"),
        ],
        Outcome(Status.COMPENSATED, cause=Cause("InjectedFault", "no", "create_shipment")),
        {"create_shipment:action": {"then": "fault"}},
    )


def usual() -> list[Told]:
    """Six sagas that complete, two that are declined, two that break."""
    return [
        *(completed(f"order-{number}") for number in range(6)),
        *(declined(f"order-{number}") for number in (6, 7)),
        *(broken(f"order-{number}") for number in (8, 9)),
    ]


def evidence_of(told: Sequence[Told], saga: Saga = ORDER) -> Evidence:
    """Evidence as a run would have stored it; every order takes one unit of one product."""
    plans = {
        one.workflow_id: Planned(
            workflow_id=one.workflow_id,
            input=one.order_id,
            expected=expect(one.saga, one.fates, one.facts),
            order_id=one.order_id,
        )
        for one in told
    }
    return Evidence(
        engine="paper",
        shape=Shape.of(saga),
        planned=plans,
        counts=Counter(str(plan.expected.status) for plan in plans.values()),
        ledger=ledger_of(told),
        operations=[operation for one in told for operation in operations_of(one)],
        books=books_of(told),
    )


def ledger_of(told: Sequence[Told]) -> list[Record]:
    records: list[Record] = []
    for one in told:
        ordinals: Counter[tuple[str, str]] = Counter()
        entered: set[tuple[str, str]] = set()
        for kind, step, direction in one.entries:
            ordinals[step, direction] += kind == "attempt"
            repeat = kind == "attempt" and (step, direction) in entered
            entered |= {(step, direction)} if kind in ("effect", "nothing") else set()
            records.append(
                Record(
                    seq=len(records) + 1,
                    kind=kind,
                    key=f"{one.workflow_id}:{step}:{direction}",
                    workflow_id=one.workflow_id,
                    step=step,
                    direction=direction,
                    ordinal=max(1, ordinals[step, direction]),
                    attempt=max(1, ordinals[step, direction]),
                    repeat=repeat,
                    pid=1,
                    at=0.0,
                    result=None,
                )
            )
    return records


def operations_of(one: Told) -> list[Operation]:
    operations = [operation("start", one.workflow_id, value=True)]
    if one.word is not None:
        operations.append(operation("result", one.workflow_id, value=one.word.to_json()))
    return operations


def operation(name: str, workflow_id: str, *, value: object = None, error: str | None = None) -> Operation:
    return Operation(
        name=name,
        workflow_id=workflow_id,
        invoked_at_s=0.0,
        completed_at_s=1.0,
        completion="ok" if error is None else "failed",
        value=value,
        error=error,
    )


def books_of(told: Sequence[Told]) -> Books:
    """What the services hold after the effects in the ledger, whatever anybody says of them."""
    shipped = _in_force(told, "create_shipment")
    reserved = [one for one in _in_force(told, "reserve_inventory", "reserve_east") if one not in shipped]
    states = {
        "refunded": _entered(told, "charge_payment", "authorize_payment"),
        "authorised": _in_force(told, "authorize_payment"),
        "captured": _in_force(told, "charge_payment", "capture_payment"),
    }
    charges = {order_id: {state: PRICE} for state, order_ids in states.items() for order_id in order_ids}
    return Books(
        stocked={"A": len(told)},
        stock={"A": (len(told) - len(reserved) - len(shipped), len(reserved), len(shipped))},
        charges=charges,
        charge_counts=dict.fromkeys(charges, 1),
        shipment_counts=dict.fromkeys(_entered(told, "create_shipment"), 1),
        message_counts=dict.fromkeys(_entered(told, "send_confirmation"), 1),
        totals={one.order_id: PRICE for one in told},
        baskets={one.order_id: {"A": 1} for one in told},
    )


def _entered(told: Sequence[Told], *steps: str) -> list[str]:
    """Orders for which one of these steps took effect, undone or not."""
    return [one.order_id for one in told if any(("effect", step, "action") in one.entries for step in steps)]


def _in_force(told: Sequence[Told], *steps: str) -> list[str]:
    """Orders for which one of these steps took effect, and its last effect was no undo."""
    last = {
        (one.order_id, step): direction
        for one in told
        for kind, step, direction in one.entries
        if kind == "effect"
    }
    return [one.order_id for one in told if any(last.get((one.order_id, step)) == "action" for step in steps)]


def spoilt(workflow_id: str, change: Callable[[list[Entry]], list[Entry]]) -> list[Told]:
    """The usual sagas, with the ledger of one of them changed."""
    return [
        replace(one, entries=change(list(one.entries))) if one.workflow_id == workflow_id else one
        for one in usual()
    ]


def verdicts(evidence: Evidence) -> dict[str, Verdict]:
    return {verdict.invariant: verdict for verdict in judge(evidence)}


def invalid(evidence: Evidence) -> set[str]:
    """The invariants that are found violated."""
    return {name for name, verdict in verdicts(evidence).items() if verdict.validity is Validity.INVALID}
