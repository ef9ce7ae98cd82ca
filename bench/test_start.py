"""What a caller waits for."""

from __future__ import annotations

from bakeoff.orders import ORDER
from bakeoff_bench.suite.bench import Bench


def test_start(bench: Bench) -> None:
    """Until the engine has acknowledged that it has the saga; its end is waited for outside of the time."""
    bench.needs(ORDER)

    bench.sagas(
        "start",
        prepare=lambda: bench.site.order_sagas(1)[0],
        act=lambda one: bench.site.start(one),
        finish=lambda one: bench.site.wait(one),
    )
