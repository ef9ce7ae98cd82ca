"""Verdicts: valid, invalid or unknown; what a checker could not test at all is said to be so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Validity(StrEnum):
    """The three words, and one for an invariant about which this plan says nothing."""

    VALID = "valid"
    INVALID = "invalid"
    UNKNOWN = "unknown"  #: could not be judged: too little evidence, or the checker itself crashed
    NOT_APPLICABLE = "not applicable"  #: the saga or the plan has nothing of the kind


#: Merging takes the worst (Jepsen's ``merge-valid``).
_WORST_FIRST = (Validity.INVALID, Validity.UNKNOWN, Validity.VALID, Validity.NOT_APPLICABLE)

#: Findings that a verdict keeps; their number is always kept.
KEPT_FINDINGS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The judgement of one invariant.

    Attributes:
        invariant: ``I1`` ... ``I10``, or ``expected``.
        title: The invariant in a few words.
        validity: The word.
        reason: One sentence: what was counted, or why it could not be judged.
        findings: The first violations, each naming the workflow id.
        violations: How many there are in all.
    """

    invariant: str
    title: str
    validity: Validity
    reason: str = ""
    findings: tuple[str, ...] = ()
    violations: int = 0

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            "invariant": self.invariant,
            "title": self.title,
            "validity": str(self.validity),
            "reason": self.reason,
            "violations": self.violations,
            "findings": list(self.findings),
        }


def conclude(
    invariant: str,
    title: str,
    findings: Sequence[str],
    *,
    tested: int,
    planned: int,
    what: str,
    nothing_planned: str = "",
) -> Verdict:
    """Turn what a checker found into its verdict, with a floor against vacuous passes.

    Args:
        invariant, title: Which.
        findings: All violations.
        tested: How many cases the checker could look at.
        planned: How many of them the plan holds; less than half of that tested is no evidence.
        what: What was counted, e.g. ``"compensated sagas"``.
        nothing_planned: Why the invariant does not apply where ``planned`` is zero.
    """
    if findings:
        validity, reason = Validity.INVALID, f"{len(findings)} violations in {tested} {what}"
    elif planned == 0:
        validity = Validity.NOT_APPLICABLE if nothing_planned else Validity.UNKNOWN
        reason = nothing_planned or f"the plan holds no {what}"
    elif tested == 0 or tested * 2 < planned:
        validity, reason = Validity.UNKNOWN, f"only {tested} of {planned} planned {what} could be tested"
    else:
        validity, reason = Validity.VALID, f"{tested} {what}"
    return Verdict(
        invariant=invariant,
        title=title,
        validity=validity,
        reason=reason,
        findings=tuple(findings[:KEPT_FINDINGS]),
        violations=len(findings),
    )


def merge(validities: Iterable[Validity]) -> Validity:
    """The worst of all; unknown if there is none."""
    seen = set(validities)
    return next((word for word in _WORST_FIRST if word in seen), Validity.UNKNOWN)
