"""I2 and I8: every saga ends, and every saga is accounted for."""

from __future__ import annotations

from bakeoff.checkers.evidence import Evidence
from bakeoff.checkers.observed import Fate, count, observe
from bakeoff.checkers.verdict import Verdict, conclude


def check_termination(evidence: Evidence) -> Verdict:
    """Every started saga is settled by the deadline; a stuck or lost one is named."""
    observed = observe(evidence)
    findings = [
        f"{workflow_id}: {one.fate}: {one.reason}"
        for workflow_id, one in observed.items()
        if one.fate in (Fate.STUCK, Fate.LOST)
    ]
    return conclude(
        "I2",
        "every started saga settles",
        findings,
        tested=sum(one.fate.settled for one in observed.values()) + len(findings),
        planned=len(evidence.planned),
        what="started sagas",
    )


def check_accounting(evidence: Evidence) -> Verdict:
    """Distinct workflow ids add up to what was issued, and the ledger holds nobody else's."""
    counted = count(observe(evidence))
    refused = evidence.rejected if evidence.rejected_planned is None else evidence.rejected_planned
    issued = len(evidence.planned) + refused
    accounted = sum(counted.values()) - counted[Fate.NOT_STARTED] + evidence.rejected
    findings = []
    if counted[Fate.NOT_STARTED]:
        findings.append(f"{counted[Fate.NOT_STARTED]} sagas could not be started: {_first_refusal(evidence)}")
    if counted[Fate.START_UNKNOWN]:
        findings.append(f"{counted[Fate.START_UNKNOWN]} starts have an unknown outcome")
    strangers = sorted({record.workflow_id for record in evidence.ledger} - set(evidence.planned))
    findings += [f"{workflow_id}: in the ledger, but never issued" for workflow_id in strangers]
    if accounted != issued and not findings:
        findings.append(f"{accounted} accounted for, {issued} issued")
    return conclude(
        "I8",
        "all workflow ids are accounted for",
        findings,
        tested=accounted,
        planned=issued,
        what="workflow ids",
    )


def _first_refusal(evidence: Evidence) -> str:
    for workflow_id, one in observe(evidence).items():
        if one.fate is Fate.NOT_STARTED:
            return f"{workflow_id}: {one.reason}"
    return ""
