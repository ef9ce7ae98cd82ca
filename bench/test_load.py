"""A named load, open loop: how long sagas take while others arrive."""

from __future__ import annotations

from pathlib import Path

import pytest

from bakeoff.contract.contestants import Contestant
from bakeoff.errors import BakeoffError
from bakeoff_bench.suite.bench import Bench
from bakeoff_bench.suite.contest import LOAD_ROUNDS, Asked, why_not_killed
from bakeoff_bench.suite.loads import Clock, put_under, saga_of
from bakeoff_bench.suite.stage import Stage
from bakeoff_scenarios import LoadScenario

_clock = Clock()


@pytest.mark.benchmark(timer=_clock)
def test_load(
    bench: Bench, contestant: Contestant, asked: Asked, stage: Stage, load: LoadScenario, tmp_path: Path
) -> None:
    """The time of a round is the median of its completed sagas, each from its intended start."""
    bench.needs(saga_of(load))
    if load.fault and (why := why_not_killed(contestant)):
        pytest.skip(f"not supported: {why}")
    stage.clear()
    try:
        loaded = put_under(
            load,
            contestant,
            tmp_path / "load",
            rate=asked.rate,
            seconds=asked.duration_s or load.duration_s,
            rounds=asked.rounds or LOAD_ROUNDS,
        )
    except BakeoffError as error:
        pytest.fail(f"{contestant.label}: {error}", pytrace=False)
    assert loaded.validity != "invalid", loaded.problems
    if not loaded.medians_s:
        why = "; ".join(loaded.problems) or f"{asked.rate:g}/s is more than it keeps up with"
        pytest.fail(f"{contestant.label}: no round counts: {why}", pytrace=False)
    assert loaded.validity == "valid", loaded.problems
    bench.tell(**loaded.facts, rate=asked.rate)
    medians = iter(loaded.medians_s)

    bench.time(
        f"{load.name}, {asked.rate:g}/s: median",
        prepare=lambda: next(medians),
        act=_clock.go_on,
        check=lambda _: None,
        rounds=len(loaded.medians_s),
        warm_up=0,
        as_asked=False,
    )
