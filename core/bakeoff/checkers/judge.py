"""All checkers over one engine's evidence; one that crashes is unknown, never valid."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bakeoff.checkers.conservation import check_conservation
from bakeoff.checkers.effects import check_attempts, check_once
from bakeoff.checkers.evidence import Evidence
from bakeoff.checkers.plan import check_plan
from bakeoff.checkers.settlement import check_accounting, check_termination
from bakeoff.checkers.undo import check_net_zero, check_no_return, check_order, check_pivot
from bakeoff.checkers.verdict import Validity, Verdict
from bakeoff.checkers.words import check_words

Checker = Callable[[Evidence], Verdict]

#: In the order in which they are printed.
CHECKERS: Mapping[str, Checker] = {
    "expected": check_plan,
    "I1": check_conservation,
    "I2": check_termination,
    "I3": check_net_zero,
    "I4": check_order,
    "I5": check_once,
    "I6": check_no_return,
    "I7": check_attempts,
    "I8": check_accounting,
    "I9": check_pivot,
    "I10": check_words,
}


def judge(evidence: Evidence, checkers: Mapping[str, Checker] = CHECKERS) -> tuple[Verdict, ...]:
    """One verdict per checker, in their order."""
    return tuple(_judged(name, checker, evidence) for name, checker in checkers.items())


def _judged(name: str, checker: Checker, evidence: Evidence) -> Verdict:
    try:
        return checker(evidence)
    except Exception as error:  # whatever broke the checker, it has seen nothing that it could vouch for
        return Verdict(
            invariant=name,
            title=(checker.__doc__ or "").partition("\n")[0],
            validity=Validity.UNKNOWN,
            reason=f"the checker crashed: {type(error).__name__}: {error}",
        )
