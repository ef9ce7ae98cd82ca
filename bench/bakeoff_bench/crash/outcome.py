"""What one kill came to, from the ledger alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import StrEnum

from bakeoff.checkers import Evidence, Fate, Planned, Validity, held_by_unfinished, judge, observe
from bakeoff.saga import Direction
from bakeoff.world import Record


class KillOutcome(StrEnum):
    """From the best to the worst; the last three say nothing about the engine."""

    CLEAN = "clean"  #: one attempt, one effect
    RETRIED = "retried"  #: more attempts, one effect
    WOULD_HAVE_DUPLICATED = "would have duplicated"  #: an attempt after its own committed effect
    DUPLICATED = "duplicated"  #: with naive services: the effect is there twice
    LEAKED = "leaked"  #: settled, but neither all of it nor nothing
    STUCK = "stuck"  #: not settled by the deadline
    LOST = "lost"  #: the engine knows nothing of it any more
    LIED = "lied"  #: the engine's word differs from the ledger
    VOID = "void"  #: the fault did not land
    NOT_SUPPORTED = "not supported"


#: A saga that did not end all-or-nothing, or a kill that proves nothing.
HARMFUL = (
    KillOutcome.DUPLICATED,
    KillOutcome.LEAKED,
    KillOutcome.STUCK,
    KillOutcome.LOST,
    KillOutcome.LIED,
    KillOutcome.VOID,
)

#: What an engine answers that knows no saga of this id.
_DENIED = "WorkflowNotFoundError"
#: Broken promises of a settled saga, apart from a repeated effect: checkers of ``bakeoff.checkers``.
_ALL_OR_NOTHING = ("expected", "I3", "I4", "I6", "I9")


def outcome_of(evidence: Evidence) -> tuple[KillOutcome, str]:
    """Classify the one saga in ``evidence``; the worst that is true counts.

    Returns:
        The outcome, and a sentence on what was seen where it is not clean.
    """
    evidence = _of_its_own_order(evidence)
    ((workflow_id, observed),) = observe(evidence).items()
    held = held_by_unfinished(evidence).get(workflow_id, [])
    holds = f"; it still holds {', '.join(held)}" if held else ""
    verdicts = {verdict.invariant: verdict for verdict in judge(evidence)}
    words = verdicts["I10"]
    if words.validity is Validity.INVALID:
        return KillOutcome.LIED, "; ".join(words.findings) + holds
    silence = _no_word(evidence)
    if observed.fate is Fate.LOST or (silence and silence.startswith(_DENIED)):
        return KillOutcome.LOST, "the engine knows nothing of it" + holds
    if not observed.fate.settled:
        return KillOutcome.STUCK, observed.reason + holds
    if silence:
        return KillOutcome.STUCK, f"its ledger is complete, and the engine never says so ({silence})"
    broken = [verdicts[name] for name in _ALL_OR_NOTHING if verdicts[name].validity is Validity.INVALID]
    if verdicts["I5"].validity is Validity.INVALID:
        return KillOutcome.DUPLICATED, "; ".join(verdicts["I5"].findings)
    if broken:
        return KillOutcome.LEAKED, "; ".join(finding for one in broken for finding in one.findings)
    return _attempts(evidence)


def _no_word(evidence: Evidence) -> str:
    """The last answer to the question for the outcome, if it was none; empty if nobody asked for one."""
    answers = [one for one in evidence.operations if one.name == "result"]
    if evidence.silent or not answers or any(one.completion == "ok" for one in answers):
        return ""
    return answers[-1].error or "no answer"


def _of_its_own_order(evidence: Evidence) -> Evidence:
    """Other kills of the same run have left their orders in the books; what they came to is theirs."""
    own = {planned.order_id for planned in evidence.planned.values()}

    def of_own(counts: Mapping[str, int]) -> dict[str, int]:
        return {order_id: count for order_id, count in counts.items() if order_id in own}

    books = evidence.books
    books = replace(
        books,
        charge_counts=of_own(books.charge_counts),
        shipment_counts=of_own(books.shipment_counts),
        message_counts=of_own(books.message_counts),
    )
    return replace(evidence, books=books)


def _attempts(evidence: Evidence) -> tuple[KillOutcome, str]:
    (planned,) = evidence.planned.values()
    repeats = [record for record in evidence.ledger if record.kind == "attempt" and record.repeat]
    if repeats:
        names = ", ".join(f"{one.step} ({one.direction})" for one in repeats)
        return KillOutcome.WOULD_HAVE_DUPLICATED, f"tried again after their effect: {names}"
    more = extra_attempts(planned, evidence.ledger)
    if more:
        return KillOutcome.RETRIED, ", ".join(f"{step} ({way}): {n} more" for (step, way), n in more.items())
    return KillOutcome.CLEAN, ""


def extra_attempts(planned: Planned, records: Sequence[Record]) -> dict[tuple[str, Direction], int]:
    """``{(step, direction): attempts beyond the plan}``, where there are any."""
    made = Counter((r.step, r.direction) for r in records if r.kind == "attempt")
    extra = {call: count - planned.expected.attempts.get(call, 0) for call, count in made.items()}
    return {call: count for call, count in extra.items() if count > 0}
