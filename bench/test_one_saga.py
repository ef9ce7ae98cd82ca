"""One order, from its start to the engine's word."""

from __future__ import annotations

from bakeoff.orders import ORDER
from bakeoff_bench.suite.bench import Bench


def test_one_saga(bench: Bench) -> None:
    """Four steps with their services and their ledger, on a system that has nothing else to do."""
    bench.needs(ORDER)

    bench.sagas("one saga", prepare=lambda: bench.site.order_sagas(1)[0], act=lambda one: bench.site.run(one))
