"""I10: what the engine told its client equals what the ledger says."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from bakeoff.checkers.evidence import Evidence
from bakeoff.checkers.observed import compatible
from bakeoff.checkers.verdict import Verdict, conclude
from bakeoff.expectation import Expectation
from bakeoff.outcome import Outcome, Status
from bakeoff.saga import JSON
from bakeoff.world.ledger import Record


def check_words(evidence: Evidence) -> Verdict:
    """Status, cause, failed compensations and results of every outcome that was told."""
    records, findings, words = evidence.by_saga(), _false_starts(evidence), evidence.words()
    recorded = {step.name for step in evidence.shape.recorded}
    for workflow_id, word in words.items():
        planned = evidence.planned.get(workflow_id)
        if planned is None:
            findings.append(f"{workflow_id}: an outcome was told, but it was never issued")
            continue
        agreeing = compatible(evidence)(workflow_id)
        findings += [
            f"{workflow_id}: {what}"
            for what in _differences(word, agreeing, records[workflow_id], planned.expected, recorded)
        ]
    findings += _second_thoughts(evidence)
    return conclude(
        "I10",
        "the engine's word equals the ledger",
        findings,
        tested=len(words),
        planned=0 if evidence.silent else len(evidence.planned),
        what="outcomes told",
        nothing_planned=evidence.silent,
    )


def _false_starts(evidence: Evidence) -> list[str]:
    """Sagas whose every start was refused, and which ran all the same."""
    refused: dict[str, bool] = {}
    for operation in evidence.operations:
        if operation.name == "start":
            failed = operation.completion == "failed"
            refused[operation.workflow_id] = failed and refused.get(operation.workflow_id, True)
    records = evidence.by_saga()
    return [
        f"{workflow_id}: its start was refused, the ledger shows that it ran"
        for workflow_id, every in refused.items()
        if every and records.get(workflow_id)
    ]


def _second_thoughts(evidence: Evidence) -> Iterator[str]:
    """An outcome is terminal: whoever asks again gets the same one."""
    told: dict[str, list[str]] = {}
    for operation in evidence.operations:
        if operation.name == "result" and operation.completion == "ok":
            assert isinstance(operation.value, dict)
            told.setdefault(operation.workflow_id, []).append(str(operation.value["status"]))
    for workflow_id, statuses in told.items():
        if len(set(statuses)) > 1:
            yield f"{workflow_id}: the engine says {', then '.join(statuses)}"


def _differences(
    word: Outcome,
    agreeing: frozenset[Status],
    records: Sequence[Record],
    expected: Expectation,
    recorded: Collection[str],
) -> Iterator[str]:
    if word.status not in agreeing:
        shown = " or ".join(sorted(agreeing)) or "unfinished"
        yield f"the engine says {word.status}, the ledger says {shown}"
        return
    # Services without idempotency keys may have acted twice: the engine tells of one of the answers.
    entered: dict[tuple[str, str], list[JSON]] = {}
    for r in records:
        if r.kind in ("effect", "nothing"):
            entered.setdefault(r.call, []).append(r.result)
    yield from _failed_undos(word, entered.keys(), records, expected)
    if word.status is Status.COMPLETED and word.cause is not None:
        yield f"the engine says completed, and tells a cause: {word.cause.type} at {word.cause.step}"
    if expected.causes:
        told = (word.cause.type, word.cause.step) if word.cause else None
        if told is None:
            yield "the engine tells no cause"
        elif not any(told == cause or (told[0], "") == cause for cause in expected.causes):
            planned = " or ".join(f"{kind} at {step or 'any step'}" for kind, step in sorted(expected.causes))
            yield f"the engine says the cause is {told[0]} at {told[1]}, planned is {planned}"
    for name, result in word.results.items():
        returned = entered.get((name, "action"))
        if returned and result not in returned:
            listed = " or ".join(repr(one) for one in returned)
            yield f"the engine says {name} returned {result!r}, the ledger says {listed}"
        elif not returned and name in recorded:
            yield f"the engine says {name} returned {result!r}, the ledger shows no effect of it"


def _failed_undos(
    word: Outcome, entered: Collection[tuple[str, str]], records: Sequence[Record], expected: Expectation
) -> Iterator[str]:
    """Who gives a compensation up names it (S4), and nobody else is named."""
    tried = {r.step for r in records if r.kind == "attempt" and r.direction == "compensation"}
    for name in word.failed_compensations:
        if name not in tried:
            yield f"the engine says the compensation of {name} failed, the ledger shows that it was not tried"
        elif (name, "compensation") in entered and name not in expected.failed_compensations:
            yield f"the engine says the compensation of {name} failed, the ledger shows that it took effect"
    if word.status is Status.COMPENSATION_FAILED:
        for name in sorted(tried - {*word.failed_compensations}):
            if (name, "compensation") not in entered:
                yield f"the engine does not say that the compensation of {name} failed"
    elif word.failed_compensations:
        yield f"the engine says {word.status}, and names compensations that failed"
