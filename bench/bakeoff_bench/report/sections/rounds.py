"""A number over the rounds of a load: the middle one, and between which rounds it lies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

ONE = "one load: no interval"
_NOT_APART = "not kept round by round: no interval"
#: What brackets mean, for the conditions of a table.
BRACKETS = (
    "In brackets: the lowest and the highest of the rounds that show the number by themselves; none of fewer "
    "than two, or where what they show lies to one side of what all rounds together do."
)
#: What that is worth, for the notes of a section.
WORTH = (
    "The lowest and the highest of 2 rounds hold the true median in 50 % of cases, of 6 in 97 %, of 10 in "
    "99.8 %, whatever the distribution."
)


def spread(middle: float, rounds: Sequence[float], show: Callable[[float], str]) -> str:
    """``middle (lowest to highest)``; the middle alone where too few rounds have the number.

    Args:
        middle: Over all rounds.
        rounds: The number of each round.
        show: Writes one of them.
    """
    if not _between(middle, rounds):
        return show(middle)
    return f"{show(middle)} ({show(min(rounds))} to {show(max(rounds))})"


def in_short(middle: float, rounds: Sequence[float], used: int, show: Callable[[float], str]) -> str:
    """The same with the number of rounds, where no column has that.

    Args:
        middle: Over all rounds.
        rounds: The number of each round that has it.
        used: How many rounds the middle is of.
        show: Writes one of them.
    """
    if used == 1:
        return f"{show(middle)} (one load)"
    if not _between(middle, rounds):
        return f"{show(middle)} ({used} rounds)"
    shown = str(used) if len(rounds) == used else f"{len(rounds)} of {used}"
    return f"{show(middle)} ({show(min(rounds))} to {show(max(rounds))}, {shown} rounds)"


def _between(middle: float, rounds: Sequence[float]) -> bool:
    """Whether several rounds have the number, and are not all of them to one side of the middle of all.

    Only rounds with enough values have a percentile; of short ones that may be the busiest alone.
    """
    return len(rounds) > 1 and min(rounds) <= middle <= max(rounds)


def used_of(block: Mapping[str, Any]) -> int:
    """Rounds of a load that count."""
    return int(block["rounds"] - block["void"])


def counted(block: Mapping[str, Any], apart: int) -> str:
    """``9 of 10``, in how many of these the backlog grew, and why there is no interval, if there is none.

    Args:
        block: A load over its rounds.
        apart: Of how many rounds the numbers are known by themselves.
    """
    used = used_of(block)
    words = f"{used} of {block['rounds']}"
    if grew := block.get("overloaded"):
        words += f", backlog grew in {grew}"
    if used == 1:
        return f"{words}; {ONE}"
    return f"{words}; {_NOT_APART}" if used > 1 and apart < 2 else words
