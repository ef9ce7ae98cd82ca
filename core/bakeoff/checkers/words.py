"""I10: what the engine told its client equals what the ledger says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bakeoff.checkers.evidence import Evidence
from bakeoff.checkers.observed import compatible
from bakeoff.checkers.verdict import Verdict, conclude
from bakeoff.expectation import Expectation
from bakeoff.outcome import Outcome, Status
from bakeoff.saga import JSON
from bakeoff.world.ledger import Record


def check_words(evidence: Evidence) -> Verdict:
    """Status, cause, failed compensations and results of every outcome that was told."""
    records, findings, words = evidence.by_saga(), list[str](), evidence.words()
    for workflow_id, word in words.items():
        planned = evidence.planned.get(workflow_id)
        expected = planned.expected if planned else None
        findings += [
            f"{workflow_id}: {what}"
            for what in _differences(
                word, compatible(evidence)(workflow_id), records.get(workflow_id, []), expected
            )
        ]
    return conclude(
        "I10",
        "the engine's word equals the ledger",
        findings,
        tested=len(words),
        planned=0 if evidence.silent else len(evidence.planned),
        what="outcomes told",
        nothing_planned=evidence.silent,
    )


def _differences(
    word: Outcome, agreeing: frozenset[Status], records: Sequence[Record], expected: Expectation | None
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
    undone = {step for step, direction in entered if direction == "compensation"}
    for name in word.failed_compensations:
        if name in undone and (expected is None or name not in expected.failed_compensations):
            yield f"the engine says the compensation of {name} failed, the ledger shows it"
    if expected is not None and expected.causes:
        told = (word.cause.type, word.cause.step) if word.cause else None
        if told is None:
            yield "the engine tells no cause"
        elif not any(told == cause or (told[0], "") == cause for cause in expected.causes):
            planned = " or ".join(f"{kind} at {step or 'any step'}" for kind, step in sorted(expected.causes))
            yield f"the engine says the cause is {told[0]} at {told[1]}, planned is {planned}"
    for name, result in word.results.items():
        returned = entered.get((name, "action"))
        if returned and result not in returned:
            yield f"the engine says {name} returned {result!r}, the ledger says {returned[-1]!r}"
