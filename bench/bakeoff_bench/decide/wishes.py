"""Weighted wishes: who is as good as the best, within what can be told apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bakeoff_bench.decide.facts import Facts, Measure

#: Values that differ by less than this factor are taken for equal, unless a wish says otherwise.
ALIKE = 1.25
#: What another server would change.
_OF_THE_SERVER = (
    *(Measure.CPU, Measure.MEMORY, Measure.PROCESSES, Measure.SERVERS),
    *(Measure.P95, Measure.RATE),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One thing that a team would like.

    Attributes:
        says: In its words.
        of: What is compared.
        weight: Points for whoever is as good as the best.
        alike: Factor within which values count as equal.
    """

    says: str
    of: Measure
    weight: float = 1.0
    alike: float = ALIKE


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """What wishes come to for one contestant.

    Attributes:
        won: Weight of every wish, in their order; 0 where somebody else is better, or nobody knows.
        open: Weight of every wish in which its value is unknown; it might have it, too.
        told: What is said of each wish.
        evidence: Folder or file of each value; empty where there is none.
        stood_in: Of each, whether only another server than the one that was measured could tell.
    """

    won: Sequence[float]
    open: Sequence[float]
    told: Sequence[str]
    evidence: Sequence[str]
    stood_in: Sequence[bool]

    @property
    def points(self) -> float:
        """In sum."""
        return math.fsum(self.won)

    def could_have(self) -> float:
        """If everything that is unknown were the best."""
        return math.fsum([*self.won, *self.open])

    def left_by(self, other: Granted) -> float:
        """What is left of the points if ``other`` turns out to be the best where nobody knows it."""
        return math.fsum(won for won, open_ in zip(self.won, other.open, strict=True) if not open_)


def grant(wishes: Sequence[Wish], candidates: Sequence[Facts]) -> dict[str, Granted]:
    """``{contestant: what it is granted}`` among these candidates."""
    return {facts.label: _granted(wishes, candidates, facts) for facts in candidates}


def _granted(wishes: Sequence[Wish], candidates: Sequence[Facts], facts: Facts) -> Granted:
    won, unknown, told, evidence = [], [], [], []
    for wish in wishes:
        known, good, words = _one(wish, candidates, facts)
        won.append(wish.weight if good else 0.0)
        unknown.append(0.0 if known else wish.weight)
        told.append(words)
        evidence.append(facts.measures.get(wish.of, (0.0, ""))[1])
    stood_in = [bool(open_) and _is_stood_in(facts, one) for one, open_ in zip(wishes, unknown, strict=True)]
    return Granted(won=won, open=unknown, told=told, evidence=evidence, stood_in=stood_in)


def _one(wish: Wish, candidates: Sequence[Facts], facts: Facts) -> tuple[bool, bool, str]:
    """Whether its value is known, whether it is as good as the best, and words."""
    own = value_of(facts, wish.of)
    if own is None:
        return False, False, f"unknown: {facts.stand_in}" if _is_stood_in(facts, wish) else "unknown"
    best = _best(wish.of, [value for one in candidates if (value := value_of(one, wish.of)) is not None])
    if not is_worse(wish, own, best):
        return True, True, f"{own:.3g}, as good as the best"
    if _is_stood_in(facts, wish):
        return False, False, f"{own:.3g}, best {best:.3g}, but {facts.stand_in}"
    return True, False, f"{own:.3g}, best {best:.3g}"


def _is_stood_in(facts: Facts, wish: Wish) -> bool:
    """Whether a bad value says nothing, because it is that of a server which production would not have."""
    return bool(facts.stand_in) and wish.of in _OF_THE_SERVER


def value_of(facts: Facts, measure: Measure) -> float | None:
    """The value alone."""
    if measure is Measure.SERVERS:
        # A server that stands in says nothing of how many production would have.
        return None if facts.servers is None or facts.stand_in else float(len(facts.servers))
    found = facts.measures.get(measure)
    return None if found is None else found[0]


def _best(measure: Measure, values: Sequence[float]) -> float:
    return max(values) if measure.more_is_better else min(values)


def is_worse(wish: Wish, own: float, other: float) -> bool:
    """Whether ``own`` is worse than ``other`` by more than what counts as alike."""
    better, worse = (own, other) if wish.of.more_is_better else (other, own)
    return worse > better * wish.alike


def beats(wishes: Sequence[Wish], one: Facts, other: Facts) -> bool:
    """Whether ``one`` is as good in every wish, and surely better in some."""
    pairs = [(wish, value_of(one, wish.of), value_of(other, wish.of)) for wish in wishes]
    if any(mine is None or theirs is None for _, mine, theirs in pairs):
        return False
    if any(_is_stood_in(other, wish) for wish in wishes):
        return False
    known = [(wish, mine, theirs) for wish, mine, theirs in pairs if mine is not None and theirs is not None]
    as_good = all(_no_worse(wish, mine, theirs) for wish, mine, theirs in known)
    return as_good and any(is_worse(wish, theirs, mine) for wish, mine, theirs in known)


def _no_worse(wish: Wish, mine: float, theirs: float) -> bool:
    return mine >= theirs if wish.of.more_is_better else mine <= theirs
