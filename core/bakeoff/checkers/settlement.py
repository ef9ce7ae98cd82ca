"""I2 and I8: every saga ends, and every saga is accounted for."""

from __future__ import annotations

from bakeoff.checkers.evidence import Evidence
from bakeoff.checkers.observed import Fate, observe
from bakeoff.checkers.totals import strangers_in, totals_of
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
    strangers = [f"{workflow_id}: in the ledger, but never issued" for workflow_id in strangers_in(evidence)]
    if evidence.more:
        return _accounted(strangers)
    totals, findings = totals_of(evidence), list[str]()
    refused = evidence.rejected if evidence.rejected_planned is None else evidence.rejected_planned
    issued = totals.fates.total() + refused
    accounted = totals.fates.total() - totals.fates[Fate.NOT_STARTED] + evidence.rejected
    if totals.fates[Fate.NOT_STARTED]:
        findings.append(f"{totals.fates[Fate.NOT_STARTED]} sagas could not be started: {totals.refusal}")
    if totals.fates[Fate.START_UNKNOWN]:
        findings.append(f"{totals.fates[Fate.START_UNKNOWN]} starts have an unknown outcome: {totals.doubt}")
    findings += strangers
    if evidence.rejected != refused:
        findings.append(f"{evidence.rejected} orders are listed as rejected, {refused} were announced")
    return _accounted(findings, accounted, issued)


def _accounted(findings: list[str], accounted: int = 0, issued: int = 0) -> Verdict:
    return conclude(
        "I8",
        "all workflow ids are accounted for",
        findings,
        tested=accounted,
        planned=issued,
        what="workflow ids",
    )
