"""Whether a rate that a search came to holds: one load at it may have had a good minute."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial

from bakeoff_bench.load.measured import Measured
from bakeoff_bench.load.search import Nearest, Sustained, answers, clear_answer, not_sustained

#: Rounds, and in how many of them a rate must be sustained.
_ROUNDS, _ENOUGH = 3, 2
#: What is tried next of a rate that was not: little less at first, in the end half of what the search came
#: to, as a machine needs that was at its best in the search.
_LESS = (0.9, 0.85, 0.7)

#: Plays one load: of which contestant, at which rate, in which round.
Play = Callable[[str, float, int], Awaitable[Measured]]
#: Labels in the order of a round.
Turns = Callable[[int], Sequence[str]]


async def confirm(play: Play, turns: Turns, found: dict[str, Sustained], slo_s: float) -> None:
    """Let those that have a rate take turns at it; who does not sustain it goes on with less, in place.

    A void load counts for nothing and is made again, up to twice. Where none counted, the rate stays as it
    is, confirmed by none.

    Args:
        play: Plays a load.
        turns: Of a round, all contestants.
        found: ``{contestant: what its search came to}``; is changed.
        slo_s: The most that the 95th percentile may take.
    """
    unsure = {label for label, one in found.items() if one.rate_per_s is not None}
    number = 0
    for less in (*_LESS, None):
        kept: dict[str, list[str]] = {label: [] for label in unsure}
        nearest = {label: Nearest() for label in unsure}
        for _ in range(_ROUNDS):
            for label in (one for one in turns(number) if one in unsure):
                rate = found[label].rate_per_s
                assert rate is not None
                measured = await clear_answer(partial(_at, play, label, number), rate)
                if answers(measured):
                    problem = not_sustained(measured, slo_s)
                    kept[label].append(problem)
                    nearest[label].see(measured, rate, problem)
            number += 1
        for label in sorted(unsure):
            found[label] = _after(found[label], kept[label], nearest[label], less)
            if found[label].confirmed or found[label].rate_per_s is None or not kept[label]:
                unsure.discard(label)
        if not unsure:
            return


async def _at(play: Play, label: str, number: int, rate: float) -> Measured:
    return await play(label, rate, number)


def _after(now: Sustained, problems: Sequence[str], nearest: Nearest, less: float | None) -> Sustained:
    """What is believed after some rounds at a rate, of which ``less`` is tried next, if anything is."""
    held = sum(not one for one in problems)
    if not problems:
        return now
    if held >= min(_ENOUGH, len(problems)):
        return replace(now, confirmed=held, of=len(problems))
    assert now.rate_per_s is not None
    why = next(one for one in problems if one)
    lower = replace(now, failed_per_s=now.rate_per_s, why=why, bound="engine")
    if less is None:
        return replace(lower, rate_per_s=None, closest=nearest.words)
    return replace(lower, rate_per_s=less * now.rate_per_s)
