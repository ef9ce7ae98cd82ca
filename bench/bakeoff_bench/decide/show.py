"""A decision as a person reads it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bakeoff.cli.screen import say, show_table
from bakeoff_bench.decide.decision import Decision, Requirements
from bakeoff_bench.decide.musts import Answer

#: A value is known, but of a server that production would not have.
_STOOD_IN = "the same with the server that production would have (--set, docs/own-servers.md)"
_STYLES = {Answer.MET: "green", Answer.NOT_MET: "bold red", Answer.UNKNOWN: "yellow"}


def show(requirements: Requirements, decision: Decision, changes: Sequence[str]) -> None:
    """The matrix, the reasons with their evidence, the recommendation, what would change it, work to do."""
    contestants = list(decision.findings)
    say(requirements.title, style="bold")
    say()
    if requirements.musts:
        heads = [str(number) for number, _ in enumerate(requirements.musts, start=1)]
        rows = [[label, *(str(one.answer) for one in decision.findings[label])] for label in contestants]
        show_table(["must", *heads], rows, styles={str(key): style for key, style in _STYLES.items()})
        say()
        for number, must in enumerate(requirements.musts):
            say(f"{number + 1} {must.says}", style="bold")
            for label in contestants:
                finding = decision.findings[label][number]
                where = f" ({finding.evidence})" if finding.evidence else ""
                say(f"  {label}: {finding.answer}: {finding.why}{where}", style=_STYLES[finding.answer])
    if requirements.wishes and decision.granted:
        say()
        wishes = [f"{wish.says}, {wish.of.unit} (weight {wish.weight:g})" for wish in requirements.wishes]
        show_table(["meets everything", *wishes, "points"], list(_wishes(requirements, decision)))
        for number, wish in enumerate(requirements.wishes):
            places = dict.fromkeys(one.evidence[number] for one in decision.granted.values())
            if found := [place for place in places if place]:
                say(f"  {wish.says}: from {', '.join(found)}")
    say()
    for sentence in recommendation(decision):
        say(sentence, style="bold")
    if changes:
        say()
        say("What would change the answer", style="bold")
        for change in changes:
            say(f"  {change}")
    work = list(work_to_do(requirements, decision))
    if work:
        say()
        say("Unknown, so neither met nor failed; what would tell", style="bold")
        for label, why, command in work:
            say(f"  {label}: {why}: {command}")


def recommendation(decision: Decision) -> Iterator[str]:
    """One or more sentences."""
    found = list(decision.recommended)
    if not decision.findings:
        yield "Nobody to decide about: no run is of a contestant that was asked for."
    elif not found:
        yield "Recommendation: none. No contestant is known to meet every constraint."
    elif len(found) == 1:
        yield f"Recommendation: {found[0]}."
    else:
        yield f"No significant difference between {', '.join(found)}: each of them meets everything."
    if decision.rivals:
        yield f"Still open: {', '.join(decision.rivals)}, of which something that was wished for is unknown."
    if decision.open:
        yield f"Not ruled out: {', '.join(decision.open)}, of which a constraint is unknown."


def work_to_do(requirements: Requirements, decision: Decision) -> Iterator[tuple[str, str, str]]:
    """``(contestants, what is unknown, command)`` of those that are open or could still win."""
    by_work: dict[tuple[str, str], list[str]] = {}
    for label in decision.open:
        for finding in decision.findings[label]:
            if finding.answer is Answer.UNKNOWN:
                by_work.setdefault((finding.why, finding.work), []).append(label)
    for label in decision.rivals:
        granted = decision.granted[label]
        for number, wish in enumerate(requirements.wishes):
            if granted.open[number]:
                work = _STOOD_IN if granted.stood_in[number] else wish.of.work
                by_work.setdefault((f"{wish.says}: {granted.told[number]}", work), []).append(label)
    for (why, work), labels in by_work.items():
        yield ", ".join(labels), why, work or "more evidence of the same kind"


def _wishes(requirements: Requirements, decision: Decision) -> Iterator[list[str]]:
    for label, granted in decision.granted.items():
        points = f"{granted.points:g}" + (f" to {granted.could_have():g}" if any(granted.open) else "")
        yield [label, *(granted.told[number] for number, _ in enumerate(requirements.wishes)), points]


def to_json(requirements: Requirements, decision: Decision, changes: Sequence[str]) -> Mapping[str, Any]:
    """Everything, for scripts."""
    return {
        "format": 1,
        "title": requirements.title,
        "musts": [must.says for must in requirements.musts],
        "findings": {label: [asdict(finding) for finding in own] for label, own in decision.findings.items()},
        "granted": {label: asdict(granted) for label, granted in decision.granted.items()},
        "recommended": list(decision.recommended),
        "open": list(decision.open),
        "rivals": list(decision.rivals),
        "changes": list(changes),
    }
