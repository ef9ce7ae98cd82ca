"""From what an ordeal recorded to its verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bakeoff.checkers import (
    CHECKERS,
    Evidence,
    Planned,
    Shape,
    Validity,
    count,
    judge,
    merge,
    observe,
    read_books,
)
from bakeoff.engine import Capability, Support
from bakeoff.history import read_history
from bakeoff.saga import Saga
from bakeoff_bench.ordeals.site import Site

#: Findings that a result repeats.
_SHOWN = 5


def evidence_of(
    site: Site, saga: Saga, planned: Mapping[str, Planned], *, stock: Mapping[str, int]
) -> Evidence:
    """Everything about these sagas and nothing about others.

    Attempts beyond the plan are counted, not condemned: workers end, and crowds outlast a step's timeout.

    Args:
        site: Where it happened.
        saga: Of all of them.
        planned: ``{workflow id: plan}``.
        stock: ``{stock code: units}`` of goods that nobody else orders.
    """
    claim = site.stack.info.claims[Capability.OUTCOME]
    return Evidence(
        engine=site.stack.engine.name,
        shape=Shape.of(saga),
        planned=planned,
        ledger=[record for record in site.stack.world.ledger() if record.workflow_id in planned],
        operations=[one for one in read_history(site.history_file) if one.workflow_id in planned],
        books=read_books(site.stack.world.engine, stock),
        silent=claim.reason if claim.support is Support.ABSENT else "",
        engine_faults=True,
    )


def conclude(
    evidence: Evidence, floors: Iterable[tuple[bool, str]], invariants: Sequence[str] = tuple(CHECKERS)
) -> dict[str, Any]:
    """Judge it; a floor that was not reached makes it unknown, unless it is invalid anyway.

    Args:
        evidence: Of all sagas of the ordeal.
        floors: ``(reached, what was missed)``.
        invariants: Those of ``bakeoff.checkers`` that the sagas can be held to.

    Returns:
        ``verdict``, ``reasons`` and ``counts`` of an ``OrdealResult``.
    """
    verdicts = judge(evidence, {name: CHECKERS[name] for name in invariants})
    missed = [what for reached, what in floors if not reached]
    bad = [one for one in verdicts if one.validity in (Validity.INVALID, Validity.UNKNOWN)]
    reasons = [
        f"{one.invariant}, {one.title}: {one.reason}; {'; '.join(one.findings[:_SHOWN])}".rstrip("; ")
        for one in bad
    ]
    words = [one.validity for one in verdicts] + [Validity.UNKNOWN] * bool(missed)
    return {
        "verdict": str(merge(words)),
        "reasons": (*reasons, *missed),
        "counts": {fate: sagas for fate, sagas in count(observe(evidence)).items() if sagas},
    }


def extra_attempts(evidence: Evidence) -> int:
    """Attempts of settled sagas beyond their plan: what the faults cost."""
    settled = {workflow_id for workflow_id, one in observe(evidence).items() if one.fate.settled}
    made = sum(record.kind == "attempt" and record.workflow_id in settled for record in evidence.ledger)
    return made - sum(sum(evidence.planned[one].expected.attempts.values()) for one in settled)
