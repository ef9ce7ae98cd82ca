"""I3, I4, I6 and I9: what is undone is undone wholly, in reverse, for good, and never too late."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from bakeoff.checkers.evidence import Evidence, Planned
from bakeoff.checkers.observed import Fate, observe, settled_by_plan
from bakeoff.checkers.verdict import Verdict, conclude
from bakeoff.outcome import Status
from bakeoff.world.ledger import Record

_NO_UNDO = "the plan holds no saga that is to be compensated"


def _undoing(evidence: Evidence) -> int:
    """How many planned sagas compensate at least one step."""
    return sum(
        any(direction == "compensation" for _, direction in planned.expected.attempts)
        for planned in evidence.planned.values()
    )


def check_net_zero(evidence: Evidence) -> Verdict:
    """What a compensated saga did is undone; an undo of nothing needs a step that may have acted."""
    records, findings, tested = evidence.by_saga(), list[str](), 0
    words = evidence.words()
    for workflow_id, one in observe(evidence).items():
        planned, seen = evidence.planned[workflow_id], records[workflow_id]
        # A saga that pretends to be compensated is judged as one, whatever its ledger looks like.
        pretends = workflow_id in words and words[workflow_id].status is Status.COMPENSATED
        over = planned.expected.status is Status.COMPENSATED and settled_by_plan(planned.expected, seen)
        if one.fate is Fate.COMPENSATED or pretends or over:
            tested += 1
            findings += _not_undone(evidence, planned, seen)
    expected = [planned.expected.status for planned in evidence.planned.values()]
    return conclude(
        "I3",
        "a compensated saga has no net effect",
        findings,
        tested=tested,
        planned=expected.count(Status.COMPENSATED),
        what="compensated sagas",
        nothing_planned=_NO_UNDO,
    )


def _not_undone(evidence: Evidence, planned: Planned, records: Sequence[Record]) -> Iterator[str]:
    entered = Counter((r.kind, r.step, r.direction) for r in records)
    for step in evidence.shape.recorded:
        done = entered["effect", step.name, "action"]
        undone = entered["effect", step.name, "compensation"]
        if step.compensated and done != undone:
            yield f"{planned.workflow_id}: {step.name} took effect {done} times, was undone {undone} times"
        may_have_acted = (step.name, "action") in planned.expected.faulted or (
            evidence.engine_faults and entered["attempt", step.name, "action"] > 0
        )
        tried = entered["attempt", step.name, "compensation"] and not done
        if (tried or entered["nothing", step.name, "compensation"]) and not may_have_acted:
            yield f"{planned.workflow_id}: {step.name} was compensated, though it never could have acted"


def check_order(evidence: Evidence) -> Verdict:
    """Steps act one element after the other, and are undone in the reverse order."""
    findings, tested, begun = list[str](), 0, 0
    for workflow_id, records in evidence.by_saga().items():
        undo = [r for r in records if r.direction == "compensation"]  # a tombstone lies on the action
        tested += bool(undo)
        begun += bool(records) and workflow_id in evidence.planned
        findings += _forward_order(evidence, workflow_id, records)
        findings += _reverse_order(evidence, workflow_id, undo)
    return conclude(
        "I4",
        "steps act in order and are undone in reverse",
        findings,
        tested=tested,
        planned=_undoing(evidence),
        what="sagas with compensations",
        otherwise=(begun, len(evidence.planned), "sagas"),
    )


def _forward_order(evidence: Evidence, workflow_id: str, records: Sequence[Record]) -> Iterator[str]:
    shape, planned = evidence.shape, evidence.planned.get(workflow_id)
    element = {step.name: step.element for step in shape.steps}
    effects: dict[str, int] = {}
    starts: dict[str, int] = {}
    undone: dict[str, int] = {}
    for record in records:
        if record.direction == "action" and record.kind in ("effect", "attempt"):
            first = effects if record.kind == "effect" else starts
            first.setdefault(record.step, record.seq)
        elif record.direction == "compensation" and record.kind in ("effect", "nothing"):
            undone.setdefault(record.step, record.seq)
    due = planned.expected.attempts.keys() if planned else frozenset()
    exhausted = planned.expected.exhausted if planned else None
    for later, started in starts.items():
        for step in shape.recorded:
            if step.element >= element.get(later, -1) or (step.optional and (step.name, "action") not in due):
                continue
            # An exhausted step has not succeeded; its escalation begins when it is undone.
            over, what = (undone, "been undone") if step.name == exhausted else (effects, "succeeded")
            if over is undone and not step.compensated:
                continue
            if step.name not in over or over[step.name] > started:
                yield f"{workflow_id}: {later} was tried before {step.name} had {what}"


def _reverse_order(evidence: Evidence, workflow_id: str, undo: Sequence[Record]) -> Iterator[str]:
    element = {step.name: step.element for step in evidence.shape.steps}
    planned = evidence.planned.get(workflow_id)
    late = planned.expected.faulted if planned else frozenset()
    furthest: Record | None = None
    for record in undo:
        if planned and record.step == planned.expected.exhausted:
            continue  # undone on the way forward
        if record.repeat:
            continue  # delivered again after its own effect: nothing moves, and I5 and I7 count it
        if record.kind != "attempt" and (record.step, "compensation") in late:
            continue  # an attempt that timed out may enter its effect late
        position = element.get(record.step)
        if position is None:
            continue  # a step of no saga of this plan; others name it
        if furthest is not None and position > element[furthest.step]:
            yield f"{workflow_id}: {record.step} was undone after {furthest.step}, which stands before it"
            return
        furthest = record


def check_no_return(evidence: Evidence) -> Verdict:
    """Once a step is compensated it has no forward effect any more."""
    findings, tested = list[str](), 0
    for workflow_id, records in evidence.by_saga().items():
        undone: dict[str, int] = {}
        for record in records:
            if record.direction == "compensation" and record.kind in ("effect", "nothing"):
                undone.setdefault(record.step, record.seq)
        tested += bool(undone)
        findings += [
            f"{workflow_id}: {record.step} took effect after its compensation"
            for record in records
            if record.kind == "effect"
            and record.direction == "action"
            and record.seq > undone.get(record.step, record.seq)
        ]
    return conclude(
        "I6",
        "no effect after the compensation",
        findings,
        tested=tested,
        planned=_undoing(evidence),
        what="sagas with compensations",
        nothing_planned=_NO_UNDO,
    )


def check_pivot(evidence: Evidence) -> Verdict:
    """Nothing is compensated once the pivot has succeeded."""
    pivots = {
        step.name
        for step in evidence.shape.recorded
        if evidence.shape.pivot is not None and step.element == evidence.shape.pivot
    }
    findings, tested = list[str](), 0
    for workflow_id, records in evidence.by_saga().items():
        passed = [
            r.seq for r in records if r.kind == "effect" and r.step in pivots and r.direction == "action"
        ]
        tested += bool(passed)
        late = [r.step for r in records if passed and r.direction == "compensation" and r.seq > passed[0]]
        findings += [
            f"{workflow_id}: {step} was compensated after the pivot had succeeded"
            for step in dict.fromkeys(late)
        ]
    planned = sum(
        any((pivot, "action", "effect") in group for group in one.expected.effects for pivot in pivots)
        for one in evidence.planned.values()
    )
    return conclude(
        "I9",
        "nothing is compensated after the pivot",
        findings,
        tested=tested,
        planned=planned,
        what="sagas past their pivot",
        nothing_planned="the saga has no pivot" if not pivots else "no planned saga passes the pivot",
    )
