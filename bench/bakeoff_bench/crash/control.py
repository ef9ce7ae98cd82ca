"""Negative control: damage that the judge must see, or nothing that it says of a kill counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bakeoff.checkers import Evidence
from bakeoff.outcome import Status
from bakeoff_bench.crash.outcome import HARMFUL, outcome_of


def missed(evidence: Evidence) -> list[str]:
    """Damage done to the evidence of a kill that ended well, and taken for well all the same."""
    return [what for what, damaged in _damaged(evidence) if outcome_of(damaged)[0] not in HARMFUL]


def _damaged(evidence: Evidence) -> Iterator[tuple[str, Evidence]]:
    effects = [record for record in evidence.ledger if record.kind == "effect"]
    if effects:  # none where its first step was given up
        last, first = effects[-1], effects[0]
        yield "a lost effect", replace(evidence, ledger=[r for r in evidence.ledger if r is not last])
        yield "an effect that is there twice", replace(evidence, ledger=[*evidence.ledger, first])
    answers = [operation for operation in evidence.operations if operation.name == "result"]
    if answers and isinstance(answers[-1].value, dict):
        said = answers[-1].value["status"]
        lie = Status.COMPENSATED if said == Status.COMPLETED else Status.COMPLETED
        lied = replace(answers[-1], value={**answers[-1].value, "status": str(lie)})
        yield "a lie about the outcome", replace(evidence, operations=[evidence.operations[0], lied])
