"""What a step costs where it does nothing."""

from __future__ import annotations

import pytest

from bakeoff_bench.suite.bench import Bench
from bakeoff_bench.suite.facts import per_unit
from bakeoff_bench.suite.sagas import BY_STEPS


@pytest.mark.parametrize("steps", BY_STEPS)
def test_steps(bench: Bench, steps: int, medians: dict[tuple[str, str], dict[int, float]]) -> None:
    """A saga of steps without a service, from its start to the engine's word."""
    saga = BY_STEPS[steps]
    bench.needs(saga)

    bench.sagas(
        f"steps: {steps:2}",
        prepare=lambda: bench.site.prepare(saga),
        act=lambda one: bench.site.run(one),
        rounds=20,
        warm_up=3,
    )

    seen = medians.setdefault(("steps", bench.contestant.label), {})
    bench.tell(per_step_s=per_unit(seen, steps, bench.seconds))
