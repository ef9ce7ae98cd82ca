"""I5 and I7: every effect once, every attempt as planned."""

from __future__ import annotations

from collections.abc import Iterator

from bakeoff.checkers.evidence import Evidence
from bakeoff.checkers.observed import observe
from bakeoff.checkers.verdict import Verdict, conclude
from bakeoff.saga import Direction


def check_once(evidence: Evidence) -> Verdict:
    """Each effect and each compensation takes effect once, in the ledger and in the services' books."""
    entered: dict[tuple[str, str, str], list[str]] = {}
    for record in evidence.ledger:
        if record.kind in ("effect", "nothing"):
            entered.setdefault((record.workflow_id, *record.call), []).append(record.kind)
    findings = [
        f"{workflow_id}: {step} ({direction}) "
        f"{'was entered' if 'nothing' in kinds else 'took effect'} {len(kinds)} times"
        for (workflow_id, step, direction), kinds in entered.items()
        if len(kinds) > 1
    ]
    findings += _twice_in_books(evidence)
    return conclude(
        "I5",
        "each effect happens once",
        findings,
        tested=len(entered),
        planned=sum(
            len(group) for planned in evidence.planned.values() for group in planned.expected.effects
        ),
        what="effects",
    )


def _twice_in_books(evidence: Evidence) -> Iterator[str]:
    books = evidence.books
    for what, counts in (
        ("charged", books.charge_counts),
        ("shipped", books.shipment_counts),
        ("confirmed", books.message_counts),
    ):
        for order_id, times in counts.items():
            if times > 1:
                yield f"order {order_id}: {what} {times} times"


def check_attempts(evidence: Evidence) -> Verdict:
    """Without an engine's fault, attempts equal the plan; with one, extra attempts are only counted."""
    attempts: dict[str, dict[tuple[str, Direction], int]] = {}
    for record in evidence.ledger:
        if record.kind == "attempt":
            own = attempts.setdefault(record.workflow_id, {})
            call = (record.step, record.direction)
            own[call] = own.get(call, 0) + 1
    findings, tested = list[str](), 0
    for workflow_id, one in observe(evidence).items():
        tested += one.fate.settled
        expected = evidence.planned[workflow_id].expected.attempts
        seen = attempts.get(workflow_id, {})
        if seen == expected:
            continue  # as nearly all are
        for call in sorted({*expected, *seen}):
            planned, found = expected.get(call, 0), seen.get(call, 0)
            too_few = found < planned and one.fate.settled  # of another one I2 says that it did not end
            if too_few or (found > planned and not evidence.engine_faults):
                findings.append(
                    f"{workflow_id}: {call[0]} ({call[1]}) was tried {found} times, planned {planned}"
                )
    return conclude(
        "I7",
        "attempts equal the plan",
        findings,
        tested=tested,
        planned=len(evidence.planned),
        what="settled sagas",
    )


def duplicates_attempted(evidence: Evidence) -> int:
    """Attempts after a committed effect: without the key they *would have duplicated* it."""
    return sum(record.repeat for record in evidence.ledger if record.kind == "attempt")


def duplicates_planned(evidence: Evidence) -> int:
    """How many of those the fault plan itself brings about: an unknown outcome is tried again."""
    return sum(planned.expected.repeats for planned in evidence.planned.values())
