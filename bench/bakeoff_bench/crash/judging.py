"""What a kill came to: what became of the saga that was struck, and of those beside it."""

from __future__ import annotations

from collections.abc import Sequence

from bakeoff.checkers import Evidence
from bakeoff_bench.crash.control import missed
from bakeoff_bench.crash.outcome import HARMFUL, KillOutcome, outcome_of


def judged(evidences: Sequence[Evidence]) -> tuple[KillOutcome, str]:
    """The outcome of the first saga; if only another one came to harm, what became of that one.

    A judge that does not see damage in the evidence of the first one has nothing to say.
    """
    try:
        return _judged(evidences)
    except Exception as error:  # it must not end hours of kills, and vouches for nothing
        return KillOutcome.VOID, f"the judge crashed: {type(error).__name__}: {error}"


def _judged(evidences: Sequence[Evidence]) -> tuple[KillOutcome, str]:
    outcome, detail = outcome_of(evidences[0])
    if outcome in HARMFUL:
        return outcome, detail
    if unseen := missed(evidences[0]):
        return KillOutcome.VOID, f"the judge does not see {', '.join(unseen)}"
    for beside in evidences[1:]:
        worse, what = outcome_of(beside)
        if worse in HARMFUL:
            return worse, f"{next(iter(beside.planned))}, which was in flight beside it: {what}"
    return outcome, detail
