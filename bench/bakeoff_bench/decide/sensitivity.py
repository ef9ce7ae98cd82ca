"""What would have to be asked for differently for another answer, and the finding that decides it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from bakeoff_bench.decide.decision import Decision, Requirements, decide
from bakeoff_bench.decide.facts import Facts
from bakeoff_bench.decide.musts import Answer, Can, Finding, Survives
from bakeoff_bench.decide.thresholds import relaxations
from bakeoff_bench.decide.wishes import Wish


def sensitivity(requirements: Requirements, everyone: Sequence[Facts], now: Decision) -> Iterator[str]:
    """One sentence per change that changes the recommendation, with the evidence that makes it do so.

    Constraints are left out one at a time, and each of their numbers asks for as much less as it takes;
    wishes are left out, and doubled; and every capability and kind of kill that evidence tells of, and that
    nobody asked for, is asked for.
    """
    for number, must in enumerate(requirements.musts):
        then = decide(requirements.without(must), everyone)
        if _differs(now, then):
            freed = {
                label: _found(now.findings[label][number])
                for label in then.recommended
                if label not in now.granted
            }
            yield _sentence(f"without “{must.says}”", then, freed or _wished(requirements, now, then))
        yield from _relaxed(requirements, everyone, now, number)
    for number, wish in enumerate(requirements.wishes):
        for what, changed in (
            ("without", _without(requirements, wish)),
            ("twice", _twice(requirements, wish)),
        ):
            then = decide(changed, everyone)
            if _differs(now, then):
                weighed = {label: _told(requirements, now, label, number) for label in _apart(now, then)}
                yield _sentence(f"{what} the wish “{wish.says}”", then, weighed)
    for must in _not_asked_for(requirements, everyone):
        then = decide(requirements.with_(must), everyone)
        if _differs(now, then):
            asked = {label: _found(then.findings[label][-1]) for label in _apart(now, then)}
            yield _sentence(f"if you need {must.says}", then, asked)


def _relaxed(
    requirements: Requirements, everyone: Sequence[Facts], now: Decision, number: int
) -> Iterator[str]:
    """Of each number of one constraint the first value that changes the recommendation, if there is one."""
    must = requirements.musts[number]
    for values in relaxations(must, everyone):
        for moved in values:
            then = decide(requirements.instead(must, moved.must), everyone)
            if _differs(now, then):
                freed = {
                    label: _found(then.findings[label][number])
                    for label in then.recommended
                    if label not in now.granted
                }
                yield _sentence(f"with {moved}", then, freed or _wished(requirements, now, then))
                break


def _differs(now: Decision, then: Decision) -> bool:
    return list(now.recommended) != list(then.recommended)


def _apart(now: Decision, then: Decision) -> list[str]:
    """Who is recommended by one of them only, those of now first."""
    gone = [label for label in now.recommended if label not in then.recommended]
    return [*gone, *(label for label in then.recommended if label not in now.recommended)]


def _sentence(what: str, then: Decision, reasons: dict[str, str]) -> str:
    """``what: answer (reasons)``; whoever is the answer alone need not be named twice."""
    together: dict[str, list[str]] = {}
    for label, reason in reasons.items():
        together.setdefault(reason, []).append(label)
    alone = list(reasons) == list(then.recommended)
    told = [
        reason if alone and len(together) == 1 else f"{', '.join(labels)}: {reason}"
        for reason, labels in together.items()
    ]
    return f"{what}: {_answer(then)} ({'; '.join(told)})"


def _answer(then: Decision) -> str:
    if not then.recommended:
        return "none" + (f" yet; unknown for {', '.join(then.open)}" if then.open else "")
    return " or ".join(then.recommended)


def _found(finding: Finding) -> str:
    why = f"unknown: {finding.why}" if finding.answer is Answer.UNKNOWN else finding.why
    return ", ".join(filter(None, (why, finding.evidence)))


def _told(requirements: Requirements, decision: Decision, label: str, number: int) -> str:
    """What a wish came to for a contestant."""
    granted = decision.granted[label]
    value = granted.values[number]
    words = f"{requirements.wishes[number].says} {granted.told[number]}"
    return words if value is None else f"{words}, {value.place}"


def _wished(requirements: Requirements, now: Decision, then: Decision) -> dict[str, str]:
    """Where the same contestants win differently: somebody else has become the best in a wish."""
    return {
        label: "; ".join(
            _told(requirements, then, label, number) for number, _ in enumerate(requirements.wishes)
        )
        for label in _apart(now, then)
    }


def _without(requirements: Requirements, wish: Wish) -> Requirements:
    return replace(requirements, wishes=[one for one in requirements.wishes if one is not wish])


def _twice(requirements: Requirements, wish: Wish) -> Requirements:
    heavier = replace(wish, weight=2 * wish.weight)
    return replace(requirements, wishes=[heavier if one is wish else one for one in requirements.wishes])


def _not_asked_for(requirements: Requirements, everyone: Sequence[Facts]) -> Iterator[Can | Survives]:
    asked = {one.capability for one in requirements.musts if isinstance(one, Can)}
    for capability in sorted({name for one in everyone for name in one.capabilities} - asked):
        yield Can(says=capability, capability=capability)
    endured = {one.fault for one in requirements.musts if isinstance(one, Survives)}
    for fault in sorted({name for one in everyone for name in one.kills} - endured):
        yield Survives(says=f"to survive {fault}", fault=fault)
