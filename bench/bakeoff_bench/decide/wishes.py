"""Weighted wishes: who is as good as the best, within what can be told apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bakeoff_bench.decide.facts import Facts
from bakeoff_bench.decide.measures import Measure, Value

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
        values: What was measured for each, also where it says nothing because a server stands in.
        evidence: Folder or file of each value; empty where there is none.
        stood_in: Of each, whether only another server than the one that was measured could tell.
    """

    won: Sequence[float]
    open: Sequence[float]
    told: Sequence[str]
    values: Sequence[Value | None]
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
    won, unknown, told = [], [], []
    for wish in wishes:
        known, good, words = _one(wish, candidates, facts)
        won.append(wish.weight if good else 0.0)
        unknown.append(0.0 if known else wish.weight)
        told.append(words)
    values = [_measured(facts, wish.of) for wish in wishes]
    return Granted(
        won=won,
        open=unknown,
        told=told,
        values=values,
        evidence=["" if one is None else one.evidence for one in values],
        stood_in=[_is_stood_in(facts, wish.of) for wish in wishes],
    )


def _one(wish: Wish, candidates: Sequence[Facts], facts: Facts) -> tuple[bool, bool, str]:
    """Whether its value is known, whether nobody is surely better, and words."""
    own = value_of(facts, wish.of)
    if own is None:
        seen = _measured(facts, wish.of)
        if seen is None:
            return False, False, f"unknown: {facts.stand_in}" if _is_stood_in(facts, wish.of) else "unknown"
        return False, False, f"{seen}, but {facts.stand_in}"
    others = [value for one in candidates if (value := value_of(one, wish.of)) is not None]
    better = [other for other in others if is_worse(wish, own, other)]
    if not better:
        return True, True, f"{own}, as good as the best"
    best = (max if wish.of.more_is_better else min)(better, key=lambda one: one.value)
    return True, False, f"{own}, best {best}"


def _is_stood_in(facts: Facts, measure: Measure) -> bool:
    """Whether a value says nothing, good or bad: it is that of a server which production would not have."""
    return bool(facts.stand_in) and measure in _OF_THE_SERVER


def value_of(facts: Facts, measure: Measure) -> Value | None:
    """What can be compared; ``None``: it is unknown."""
    return None if _is_stood_in(facts, measure) else _measured(facts, measure)


def _measured(facts: Facts, measure: Measure) -> Value | None:
    if measure is not Measure.SERVERS:
        return facts.measures.get(measure)
    if facts.servers is None:
        return None
    return Value(value=float(len(facts.servers)), evidence=facts.servers_evidence)


def is_worse(wish: Wish, own: Value, other: Value) -> bool:
    """Whether ``own`` is surely worse: by more than what counts as alike, and with the intervals apart."""
    less, more = (own, other) if wish.of.more_is_better else (other, own)
    return more.value > less.value * wish.alike and not overlap(own, other)


def overlap(one: Value, other: Value) -> bool:
    """Whether their intervals have something in common; a value without an interval is a point."""
    (low, high), (other_low, other_high) = one.ends, other.ends
    return low <= other_high and other_low <= high


def beats(wishes: Sequence[Wish], one: Facts, other: Facts) -> bool:
    """Whether ``one`` is as good in every wish, and surely better in some; not where something is unknown."""
    known = []
    for wish in wishes:
        mine, theirs = value_of(one, wish.of), value_of(other, wish.of)
        if mine is None or theirs is None:
            return False
        known.append((wish, mine, theirs))
    as_good = all(_no_worse(wish, mine, theirs) for wish, mine, theirs in known)
    return as_good and any(is_worse(wish, theirs, mine) for wish, mine, theirs in known)


def _no_worse(wish: Wish, mine: Value, theirs: Value) -> bool:
    """The value and both ends: whoever is surely better than ``mine`` is so than ``theirs``, too."""
    pairs = zip((mine.value, *mine.ends), (theirs.value, *theirs.ends), strict=True)
    return all(own >= other if wish.of.more_is_better else own <= other for own, other in pairs)
