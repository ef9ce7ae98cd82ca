"""What became of each saga, read from the ledger; the engine's word only says that it is over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache

from bakeoff.checkers.evidence import Evidence, Planned, remembered
from bakeoff.checkers.shape import Shape
from bakeoff.expectation import Expectation, Mark
from bakeoff.history import Operation
from bakeoff.outcome import Outcome, Status
from bakeoff.world.ledger import Record


class Fate(StrEnum):
    """The categories of the accounting (I8), without the orders that were rejected beforehand."""

    COMPLETED = "completed"
    COMPENSATED = "compensated"
    COMPENSATION_FAILED = "compensation_failed"
    STUCK = "stuck"  #: acknowledged, known to the engine, not settled by the deadline
    LOST = "lost"  #: acknowledged, and the engine knows nothing of it
    START_UNKNOWN = "start_unknown"  #: nobody knows whether the start was accepted, and nothing shows it
    NOT_STARTED = "not_started"  #: the start was refused, or never tried

    @property
    def settled(self) -> bool:
        """True for the three terminal outcomes."""
        return self in (Fate.COMPLETED, Fate.COMPENSATED, Fate.COMPENSATION_FAILED)


@dataclass(frozen=True, slots=True)
class Observed:
    """What became of one saga, and why it is counted so where that needs a word."""

    fate: Fate
    reason: str = ""


def marks(records: Iterable[Record]) -> set[Mark]:
    """The records as an ``Expectation`` names them."""
    return {
        ("attempt" if record.kind == "attempt" else "outcome", record.step, record.direction, record.ordinal)
        for record in records
        if record.kind != "tombstone"
    }


def settled_by_plan(expected: Expectation, records: Sequence[Record]) -> bool:
    """Whether the last records of the plan are all there."""
    if not expected.closing or not expected.ledger_tells:
        return False
    seen = marks(records)
    entered = {(r.step, r.direction) for r in records if r.kind in ("effect", "nothing")}
    # An attempt that a late thread overtook leaves its effect under that thread's ordinal.
    return all(
        mark in seen or (mark[0] == "outcome" and (mark[1], mark[2]) in entered) for mark in expected.closing
    )


def choose_alternative(planned: Planned, records: Sequence[Record]) -> Planned:
    """Of several acceptable ends the one whose attempts the ledger shows; the first if it shows none."""
    attempts = Counter((r.step, r.direction) for r in records if r.kind == "attempt")
    for end in (planned.expected, *planned.alternatives):
        if attempts == end.attempts:
            return replace(planned, expected=end, alternatives=())
    return replace(planned, alternatives=())


def compatible_statuses(
    shape: Shape, records: Sequence[Record], expected: Expectation | None
) -> frozenset[Status]:
    """The terminal statuses that the ledger of a saga that is over agrees with; none if it is unfinished."""
    acts = {step.name: False for step in shape.recorded}  # whether its last effect was its action
    acted_at_all = set[str]()
    for record in records:
        if record.kind == "effect":
            acts[record.step] = record.direction == "action"
            if acts[record.step]:
                acted_at_all.add(record.step)
    undo_attempts = Counter(
        [r.step for r in records if r.kind == "attempt" and r.direction == "compensation"]
    )
    acted = [step for step in shape.recorded if step.name in acted_at_all]
    escalating = {step.name for step in shape.recorded if step.escalates}
    held = [step for step in acted if step.compensated and acts[step.name]]
    statuses: set[Status] = set()
    # An optional step is owed where the plan attempts it and does not give it up.
    due = set[str]()
    if expected is not None:
        due = {step for step, direction in expected.attempts if direction == "action"}
        due.discard(expected.exhausted or "")
    owed = [
        step
        for step in shape.recorded
        if step.name not in acted_at_all and (not step.optional or step.name in due)
    ]
    # An exhausted step was undone before its escalation; whether a step was due the plan tells.
    in_reverse = [name for name in undo_attempts if name not in escalating]
    if not in_reverse and not owed:
        statuses.add(Status.COMPLETED)
    if not held and (undo_attempts or len(acted) < len(shape.recorded)):
        statuses.add(Status.COMPENSATED)
    if not held and not any(step.compensated for step in shape.recorded):
        statuses.add(Status.COMPENSATED)
    gave_up = [
        step
        for step in shape.recorded
        if step.compensated
        and step.undo_attempts is not None
        and undo_attempts[step.name] >= step.undo_attempts
    ]
    if gave_up and all(step in gave_up for step in held):
        statuses.add(Status.COMPENSATION_FAILED)
        # A compensation that gave up after its effect was entered: the ledger cannot tell more.
    return frozenset(statuses)


@remembered
def compatible(evidence: Evidence) -> Callable[[str], frozenset[Status]]:
    """``compatible_statuses`` of a saga by its workflow id, looked up once."""
    shape, records = evidence.shape, evidence.by_saga()
    planned = evidence.planned
    return cache(
        lambda workflow_id: compatible_statuses(
            shape,
            records.get(workflow_id, ()),
            planned[workflow_id].expected if workflow_id in planned else None,
        )
    )


@remembered
def observe(evidence: Evidence) -> dict[str, Observed]:
    """``{workflow id: what became of it}`` for every planned saga."""
    records, words = evidence.by_saga(), evidence.words()
    starts: dict[str, list[Operation]] = {}
    unknown_to_engine: set[str] = set()
    for operation in evidence.operations:
        if operation.name == "start":
            starts.setdefault(operation.workflow_id, []).append(operation)
        if operation.name == "result" and (operation.error or "").startswith("WorkflowNotFoundError"):
            unknown_to_engine.add(operation.workflow_id)
    return {
        workflow_id: _observe_one(
            planned,
            records[workflow_id],
            compatible(evidence),
            words,
            starts.get(workflow_id, []),
            workflow_id in unknown_to_engine,
        )
        for workflow_id, planned in evidence.planned.items()
    }


def _observe_one(
    planned: Planned,
    records: Sequence[Record],
    statuses_of: Callable[[str], frozenset[Status]],
    words: Mapping[str, Outcome],
    starts: Sequence[Operation],
    unknown_to_engine: bool,
) -> Observed:
    word = words.get(planned.workflow_id)
    if word is not None or settled_by_plan(planned.expected, records):
        statuses = statuses_of(planned.workflow_id)
        for preferred in (word.status if word is not None else None, planned.expected.status):
            if preferred in statuses:
                return Observed(Fate(str(preferred)))
        if statuses:
            return Observed(Fate(str(min(statuses, key=list(Status).index))))
        said = f"the engine says {word.status}" if word else "its last planned record is there"
        return Observed(Fate.STUCK, f"{said}, the ledger shows it unfinished")
    if not records and all(start.completion == "failed" for start in starts):
        return Observed(Fate.NOT_STARTED, (starts[-1].error if starts else None) or "never tried")
    if not any(start.completion == "ok" for start in starts) and not records:
        return Observed(Fate.START_UNKNOWN, starts[-1].error or "no answer")
    if unknown_to_engine:
        return Observed(Fate.LOST, "the engine knows nothing of it")
    return Observed(Fate.STUCK, f"{len(records)} ledger records, then nothing by the deadline")


def count(observed: Mapping[str, Observed]) -> dict[str, int]:
    """``{category: sagas}`` with a zero for every category that nobody is in."""
    counted = Counter(str(one.fate) for one in observed.values())
    return {str(fate): counted[str(fate)] for fate in Fate}
