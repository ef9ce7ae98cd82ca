"""Verdicts: valid, invalid or unknown; what a checker could not test at all is said to be so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
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
class Floor:
    """How many cases a verdict rests on; those of two batches add up.

    Attributes:
        tested: How many cases the checker could look at.
        planned: How many of them the plan holds; less than half of that tested is no evidence.
        what: What was counted, e.g. ``"compensated sagas"``.
        nothing_planned: Why the invariant does not apply where ``planned`` is zero.
        otherwise: ``(tested, planned, what)`` of other cases on which it rests where ``planned`` is zero.
    """

    tested: int
    planned: int
    what: str
    nothing_planned: str = ""
    otherwise: tuple[int, int, str] = (0, 0, "")

    def __add__(self, other: Floor) -> Floor:
        return replace(
            self,
            tested=self.tested + other.tested,
            planned=self.planned + other.planned,
            otherwise=(
                self.otherwise[0] + other.otherwise[0],
                self.otherwise[1] + other.otherwise[1],
                self.otherwise[2],
            ),
        )


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
        floor: What it rests on; ``None`` if the checker crashed.
    """

    invariant: str
    title: str
    validity: Validity
    reason: str = ""
    findings: tuple[str, ...] = ()
    violations: int = 0
    floor: Floor | None = None

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

    def __add__(self, other: Verdict) -> Verdict:
        """The verdict on both batches of sagas, of which these are the verdicts of one checker."""
        findings = (*self.findings, *other.findings)[:KEPT_FINDINGS]
        violations = self.violations + other.violations
        if self.floor is None or other.floor is None:
            crashed = self if self.floor is None else other
            return replace(
                crashed,
                validity=merge([self.validity, other.validity]),
                findings=findings,
                violations=violations,
            )
        return _concluded(self.invariant, self.title, findings, violations, self.floor + other.floor)


def conclude(
    invariant: str,
    title: str,
    findings: Sequence[str],
    *,
    tested: int,
    planned: int,
    what: str,
    nothing_planned: str = "",
    otherwise: tuple[int, int, str] = (0, 0, ""),
) -> Verdict:
    """Turn what a checker found into its verdict, with a floor against vacuous passes.

    Args:
        invariant, title: Which.
        findings: All violations.
        tested, planned, what, nothing_planned, otherwise: See ``Floor``.
    """
    floor = Floor(
        tested=tested, planned=planned, what=what, nothing_planned=nothing_planned, otherwise=otherwise
    )
    return _concluded(invariant, title, tuple(findings[:KEPT_FINDINGS]), len(findings), floor)


def _concluded(
    invariant: str, title: str, findings: tuple[str, ...], violations: int, floor: Floor
) -> Verdict:
    tested, planned, what = floor.tested, floor.planned, floor.what
    if not planned and floor.otherwise[2]:
        tested, planned, what = floor.otherwise
    if violations:
        validity, reason = Validity.INVALID, f"{violations} violations; looked at {tested} {what}"
    elif planned == 0:
        validity = Validity.NOT_APPLICABLE if floor.nothing_planned else Validity.UNKNOWN
        reason = floor.nothing_planned or f"the plan holds no {what}"
    elif tested == 0 or tested * 2 < planned:
        validity, reason = Validity.UNKNOWN, f"only {tested} of {planned} planned {what} could be tested"
    else:
        validity, reason = Validity.VALID, f"{tested} {what}"
    return Verdict(
        invariant=invariant,
        title=title,
        validity=validity,
        reason=reason,
        findings=findings,
        violations=violations,
        floor=floor,
    )


def merge(validities: Iterable[Validity]) -> Validity:
    """The worst of all; unknown if there is none."""
    seen = set(validities)
    return next((word for word in _WORST_FIRST if word in seen), Validity.UNKNOWN)
