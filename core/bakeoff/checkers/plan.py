"""Expected equals observed: saga by saga, not only in the sums."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from bakeoff.checkers.evidence import Evidence
from bakeoff.checkers.observed import observe
from bakeoff.checkers.totals import totals_of
from bakeoff.checkers.verdict import Verdict, conclude
from bakeoff.expectation import Effect, Expectation
from bakeoff.world.ledger import Record


def check_plan(evidence: Evidence) -> Verdict:
    """Every saga came to the status, and by the effects, that were computed beforehand."""
    records, findings, tested = evidence.by_saga(), list[str](), 0
    for workflow_id, one in observe(evidence).items():
        expected = evidence.planned[workflow_id].expected
        tested += one.fate.settled
        if str(one.fate) != str(expected.status):
            findings.append(
                f"{workflow_id}: expected {expected.status}, observed {one.fate}"
                + (f" ({one.reason})" if one.reason else "")
            )
            continue
        own = records[workflow_id]
        if evidence.engine_faults:
            own = _without_doubts(expected, own)
        findings += [f"{workflow_id}: {what}" for what in _wrong_effects(expected, own)]
    if not evidence.more:
        came = totals_of(evidence).fates
        findings += [
            f"expected {wanted} sagas {status}, observed {came[status]}"
            for status, wanted in evidence.counts.items()
            if came[status] != wanted
        ]
    return conclude(
        "expected",
        "expected equals observed",
        findings,
        tested=tested,
        planned=len(evidence.planned),
        what="sagas",
    )


def _without_doubts(expected: Expectation, records: Sequence[Record]) -> list[Record]:
    """Without undos beyond the plan that undo nothing, of steps that were attempted more often than planned.

    A step whose attempt died with its process may have happened (S3), even if it is declined the next time.
    """
    made = Counter(r.step for r in records if (r.kind, r.direction) == ("attempt", "action"))
    again = {step for step, count in made.items() if count > expected.attempts.get((step, "action"), 0)}
    again -= {
        step for group in expected.effects for step, direction, _ in group if direction == "compensation"
    }
    return [
        r for r in records if not (r.kind == "nothing" and r.direction == "compensation" and r.step in again)
    ]


def _wrong_effects(expected: Expectation, records: Sequence[Record]) -> Iterator[str]:
    """Compare effects group by group; an ``either`` of the plan may be there or not."""
    entered: list[Effect] = [
        (r.step, r.direction, r.kind) for r in records if r.kind in ("effect", "nothing")
    ]
    uncertain = {
        (step, direction) for group in expected.effects for step, direction, kind in group if kind == "either"
    }
    certain = [effect for effect in entered if effect[:2] not in uncertain]
    at = 0
    for group in expected.effects:
        wanted = {effect for effect in group if effect[:2] not in uncertain}
        found = set(certain[at : at + len(wanted)])
        if found != wanted:
            yield f"expected {_listed(wanted)} next, the ledger shows {_listed(found)}"
            return
        at += len(wanted)
    if at < len(certain):
        yield f"the ledger shows {_listed(set(certain[at:]))} beyond the plan"


def _listed(effects: set[Effect]) -> str:
    word = {"action": "done", "compensation": "undone"}
    names = (
        f"{step} {word[direction]}{' (nothing)' if kind == 'nothing' else ''}"
        for step, direction, kind in sorted(effects)
    )
    return ", ".join(names) or "nothing"
