"""The recommendation in words, each of which leads to a finding or a value with its evidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from bakeoff_bench.decide import work
from bakeoff_bench.decide.decision import Decision, Requirements
from bakeoff_bench.decide.musts import Answer
from bakeoff_bench.decide.wishes import Wish, is_worse, overlap


def recommendation(requirements: Requirements, decision: Decision) -> Iterator[str]:
    """The answer first, then why, then who else there is."""
    found = list(decision.recommended)
    if not decision.findings:
        yield "Nobody to decide about: no run is of a contestant that was asked for."
    elif not found:
        yield "Recommendation: none. No contestant is known to meet every constraint."
    elif len(found) == 1:
        yield f"Recommendation: {found[0]}."
    else:
        yield _together(requirements, decision)
    for label in found:
        yield from _why(requirements, decision, label)
    yield from _others(decision)


def _together(requirements: Requirements, decision: Decision) -> str:
    """Several; that they do not differ may only intervals say."""
    found = list(decision.recommended)
    names = f"{', '.join(found[:-1])} and {found[-1]}"
    if not requirements.wishes:
        return f"Nothing that was asked for tells {names} apart: there is no wish."
    ways = [_of_wish(wish, decision, number) for number, wish in enumerate(requirements.wishes)]
    if "apart" in ways:
        return f"Equal in points, but not alike: {names}."
    if {*ways} <= {"overlap", "same"} and "overlap" in ways:
        return (
            f"No significant difference between {names}: the 95 % intervals of what was wished for overlap."
        )
    return f"Nothing that was asked for tells {names} apart: by every wish they are alike, or it is unknown."


def _of_wish(wish: Wish, decision: Decision, number: int) -> str:
    """What it says of those that are recommended: ``apart``, ``overlap``, ``same`` or ``alike``."""
    granted = [decision.granted[label] for label in decision.recommended]
    if len({one.won[number] for one in granted}) > 1:
        return "apart"
    values = [one.values[number] for one in granted if not one.open[number]]
    known = [value for value in values if value is not None]
    pairs = list(combinations(known, 2))
    if any(is_worse(wish, one, other) or is_worse(wish, other, one) for one, other in pairs):
        return "apart"
    if len(known) < len(granted):
        return "alike"
    if all(one.value == other.value and not one.is_estimated for one, other in pairs):
        return "same"
    estimated = all(one.is_estimated for one in known)
    return "overlap" if estimated and all(overlap(one, other) for one, other in pairs) else "alike"


def _why(requirements: Requirements, decision: Decision, label: str) -> Iterator[str]:
    """What it meets, and what it has of the wishes, with the evidence of each."""
    met = [
        f"{must.says} ({finding.why}, {finding.evidence})"
        for must, finding in zip(requirements.musts, decision.findings[label], strict=True)
    ]
    if met:
        yield f"{label} meets: {'; '.join(met)}."
    granted = decision.granted[label]
    won: list[str] = []
    lost: list[str] = []
    for number, wish in enumerate(requirements.wishes):
        value = granted.values[number]
        told = granted.told[number] if value is None else f"{granted.told[number]}, {value.place}"
        (won if granted.won[number] else lost).append(f"{wish.says} ({told})")
    if won:
        yield f"{label} has of what was wished for: {'; '.join(won)}."
    if lost:
        yield f"{label} has not, or nobody knows: {'; '.join(lost)}."


def _others(decision: Decision) -> Iterator[str]:
    """Who meets everything too, who might win yet, who might meet everything yet, and who does not."""
    behind = [label for label in decision.granted if label not in decision.recommended]
    if behind:
        yield f"Fewer points, by the table above: {', '.join(behind)}."
    if decision.rivals:
        yield f"Still open: {', '.join(decision.rivals)}, of which something that was wished for is unknown."
    if decision.open:
        unknown = _by_number(decision, decision.open, Answer.UNKNOWN)
        yield f"Not ruled out: {unknown}, of which a constraint is unknown."
    out = [label for label in decision.findings if label not in (*decision.open, *decision.granted)]
    if out:
        yield f"Ruled out, by the constraints above: {_by_number(decision, out, Answer.NOT_MET)}."


def _by_number(decision: Decision, labels: Sequence[str], answer: Answer) -> str:
    """``contestant (1, 3)``: constraints with this answer; by these numbers their evidence is listed."""
    found = []
    for label in labels:
        numbers = [
            str(number)
            for number, finding in enumerate(decision.findings[label], start=1)
            if finding.answer is answer
        ]
        found.append(f"{label} ({', '.join(numbers)})")
    return ", ".join(found)


def work_to_do(requirements: Requirements, decision: Decision) -> Iterator[tuple[str, str, str]]:
    """``(contestants, what is unknown, command)`` of those that are open or could still win."""
    by_work: dict[tuple[str, str], list[str]] = {}
    for label in decision.open:
        for finding in decision.findings[label]:
            if finding.answer is Answer.UNKNOWN:
                by_work.setdefault((finding.why, finding.work), []).append(label)
    for (why, command), labels in by_work.items():
        for some in work.apart(command, labels):
            yield ", ".join(some), why, work.for_(command, some)
    by_work.clear()
    for label in decision.rivals:
        granted = decision.granted[label]
        for number, wish in enumerate(requirements.wishes):
            if granted.open[number]:
                command = work.measure(wish.of)
                command += f", {work.STOOD_IN}" if granted.stood_in[number] else ""
                by_work.setdefault((f"{wish.says}: {granted.told[number]}", command), []).append(label)
    for (why, command), labels in by_work.items():
        yield ", ".join(labels), why, command
