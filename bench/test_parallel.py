"""Several steps at once."""

from __future__ import annotations

from bakeoff_bench.suite.bench import Bench
from bakeoff_bench.suite.sagas import GROUP


def test_parallel(bench: Bench) -> None:
    """A step, a group of four that do nothing, and a step that comes when all four are done."""
    bench.needs(GROUP)

    bench.sagas(
        "parallel group of 4",
        prepare=lambda: bench.site.prepare(GROUP),
        act=lambda one: bench.site.run(one),
        rounds=20,
        warm_up=3,
    )
