"""A decision as a person reads it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bakeoff.cli.screen import say, show_table
from bakeoff_bench.decide.decision import Decision, Requirements
from bakeoff_bench.decide.musts import Answer
from bakeoff_bench.decide.origins import Origin
from bakeoff_bench.decide.sentences import recommendation, work_to_do

_STYLES = {Answer.MET: "green", Answer.NOT_MET: "bold red", Answer.UNKNOWN: "yellow"}


def show(
    requirements: Requirements, decision: Decision, changes: Sequence[str], origins: Sequence[Origin]
) -> None:
    """The matrix, findings with their evidence, the recommendation, sources, changes, work to do."""
    say(requirements.title, style="bold")
    say()
    if requirements.musts:
        _show_musts(requirements, decision)
    if requirements.wishes and decision.granted:
        _show_wishes(requirements, decision)
    say()
    answer, *reasons = recommendation(requirements, decision)
    say(answer, style="bold")
    for sentence in reasons:
        say(f"  {sentence}")
    _show_list("Evidence", map(str, origins))
    _show_list("What would change the answer", changes)
    work = [f"{labels}: {why}: {command}" for labels, why, command in work_to_do(requirements, decision)]
    _show_list("Unknown, so neither met nor failed; what would tell", work)


def _show_musts(requirements: Requirements, decision: Decision) -> None:
    contestants = list(decision.findings)
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


def _show_wishes(requirements: Requirements, decision: Decision) -> None:
    say()
    wishes = [f"{wish.says}, {wish.of.unit} (weight {wish.weight:g})" for wish in requirements.wishes]
    show_table(["meets everything", *wishes, "points"], list(_wishes(requirements, decision)))
    for number, wish in enumerate(requirements.wishes):
        values = [one.values[number] for one in decision.granted.values()]
        places = dict.fromkeys(value.place for value in values if value is not None)
        if places:
            say(f"  {wish.says}: from {', '.join(places)}")


def _wishes(requirements: Requirements, decision: Decision) -> Iterator[list[str]]:
    for label, granted in decision.granted.items():
        points = f"{granted.points:g}" + (f" to {granted.could_have():g}" if any(granted.open) else "")
        yield [label, *(granted.told[number] for number, _ in enumerate(requirements.wishes)), points]


def _show_list(title: str, lines: Iterable[str]) -> None:
    """Nothing where there is nothing to list."""
    listed = list(lines)
    if listed:
        say()
        say(title, style="bold")
        for line in listed:
            say(f"  {line}")


def to_json(
    requirements: Requirements, decision: Decision, changes: Sequence[str], origins: Sequence[Origin]
) -> Mapping[str, Any]:
    """Everything, for scripts."""
    return {
        "format": 1,
        "title": requirements.title,
        "musts": [must.says for must in requirements.musts],
        "findings": {label: [asdict(finding) for finding in own] for label, own in decision.findings.items()},
        "granted": {label: asdict(granted) for label, granted in decision.granted.items()},
        "recommended": list(decision.recommended),
        "because": list(recommendation(requirements, decision)),
        "open": list(decision.open),
        "rivals": list(decision.rivals),
        "changes": list(changes),
        "evidence": [one.to_json() for one in origins],
    }
