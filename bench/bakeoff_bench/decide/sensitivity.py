"""What would have to be asked for differently for another answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from bakeoff_bench.decide.decision import Decision, Requirements, decide
from bakeoff_bench.decide.facts import Facts
from bakeoff_bench.decide.musts import Can, Survives
from bakeoff_bench.decide.wishes import Wish


def sensitivity(requirements: Requirements, everyone: Sequence[Facts], now: Decision) -> Iterator[str]:
    """One sentence per change that changes the recommendation.

    Constraints are left out one at a time; wishes are left out, and doubled; and every capability and kind of
    kill that evidence tells of, and that nobody asked for, is asked for.
    """
    for must in requirements.musts:
        then = decide(requirements.without(must), everyone)
        if _differs(now, then):
            yield f"without “{must.says}”: {_words(then)}"
    for wish in requirements.wishes:
        for what, changed in (
            ("without", _without(requirements, wish)),
            ("twice", _twice(requirements, wish)),
        ):
            then = decide(changed, everyone)
            if _differs(now, then):
                yield f"{what} the wish “{wish.says}”: {_words(then)}"
    for must in _not_asked_for(requirements, everyone):
        then = decide(requirements.with_(must), everyone)
        if _differs(now, then):
            yield f"if you need {must.says}: {_words(then)}"


def _differs(now: Decision, then: Decision) -> bool:
    return list(now.recommended) != list(then.recommended)


def _words(then: Decision) -> str:
    if not then.recommended:
        return "none" + (f" yet; unknown for {', '.join(then.open)}" if then.open else "")
    return " or ".join(then.recommended)


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
