"""The search over knobs, on engines whose speed is known beforehand."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from bakeoff_bench.tune.climb import Stage, Tried, climb
from bakeoff_bench.tune.knobs import Changes, Knob

_RECOMMENDED = {"processes": "1", "prefetch": "1", "pool": "prefork"}
_KNOBS = (
    Knob(name="processes", texts=("1", "2", "4")),
    Knob(name="prefetch", texts=("1", "8")),
    Knob(name="pool", texts=("prefork", "threads")),
)
_FACTORS = {
    ("processes", "2"): 1.3,
    ("processes", "4"): 1.1,
    ("prefetch", "8"): 0.9,
    ("pool", "threads"): 1.2,
}


class _Engine:
    """Its speed is the product of what its settings contribute."""

    def __init__(self, factors: Mapping[tuple[str, str], float], broken: Sequence[str] = ()) -> None:
        self.factors = factors
        self.broken = broken
        self.stages: list[tuple[str, list[Changes]]] = []

    async def play(self, stage: str, candidates: Sequence[Changes]) -> list[Tried]:
        self.stages.append((stage, list(candidates)))
        return [self._tried(one) for one in candidates]

    def _tried(self, changes: Changes) -> Tried:
        if set(changes.values()) & set(self.broken):
            return Tried(changes=changes, rates={}, problem="it gives up step timeouts")
        rate = 100.0
        for pair in changes.items():
            rate *= self.factors.get(pair, 1.0)
        return Tried(changes=changes, rates={0: rate, 1: rate * 1.1})


def _climb(engine: _Engine, worth: float = 0.05) -> list[Stage]:
    return asyncio.run(climb(_KNOBS, {}, _RECOMMENDED, engine.play, worth))


def test_the_best_value_of_each_knob_is_kept() -> None:
    engine = _Engine(_FACTORS)
    stages = _climb(engine)

    assert [None if stage.taken is None else stage.taken.changes for stage in stages] == [
        {"processes": "2"},
        None,
        {"processes": "2", "pool": "threads"},
    ]


def test_each_knob_is_tried_with_what_was_kept_before() -> None:
    engine = _Engine(_FACTORS)
    _climb(engine)

    assert engine.stages == [
        ("processes", [{}, {"processes": "2"}, {"processes": "4"}]),
        ("prefetch", [{"processes": "2"}, {"processes": "2", "prefetch": "8"}]),
        ("pool", [{"processes": "2"}, {"processes": "2", "pool": "threads"}]),
    ]


def test_what_is_hardly_faster_is_not_worth_a_change() -> None:
    stages = _climb(_Engine({("processes", "4"): 1.04}))

    assert [stage.taken for stage in stages] == [None, None, None]


def test_what_could_not_be_played_is_never_kept() -> None:
    stages = _climb(_Engine(_FACTORS, broken=["threads"]))

    assert stages[-1].taken is None
    assert stages[-1].tried[1].problem == "it gives up step timeouts"


def test_the_recommended_value_is_no_change() -> None:
    """A search may begin elsewhere, and come back."""
    engine = _Engine({("prefetch", "8"): 0.5})
    stages = asyncio.run(climb(_KNOBS, {"prefetch": "8"}, _RECOMMENDED, engine.play, 0.05))

    assert engine.stages[1] == ("prefetch", [{"prefetch": "8"}, {}])
    assert stages[1].taken is not None
    assert stages[1].taken.changes == {}
    assert stages[2].tried[0].changes == {}


def test_a_knob_with_one_value_has_no_stage() -> None:
    engine = _Engine({})
    knobs = (Knob(name="processes", texts=("1",)),)

    assert asyncio.run(climb(knobs, {}, _RECOMMENDED, engine.play, 0.05)) == []
    assert engine.stages == []


def test_only_rounds_that_count_for_both_are_compared() -> None:
    first = Tried(changes={}, rates={0: 100.0, 1: 50.0})
    other = Tried(changes={"processes": "2"}, rates={0: 120.0, 2: 900.0})

    assert other.against(first) == 1.2
    assert Tried(changes={}, rates={}).against(first) is None
