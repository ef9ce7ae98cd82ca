"""What services and ledger take with no engine at all: what every rate of a run stands against."""

from __future__ import annotations

import statistics
from collections.abc import Collection
from pathlib import Path
from typing import Any

from bakeoff.orders.model import Line, Order
from bakeoff.processes import pinned, scratch_folder
from bakeoff.world import World
from bakeoff.world.database import file_url
from bakeoff_bench.overhead.ceiling import BOUND_BY_THE_WORLD, world_rate
from bakeoff_bench.overhead.domain_cost import domain_cost
from bakeoff_bench.speed.domain import LINES

_SAGAS, _TRIES = 1000, 3


def world_alone(workers: int, slots: int, cpus: Collection[int] | None) -> dict[str, Any]:
    """Measure it in a database of its own, with as many processes and threads as workers have.

    Returns:
        ``orders_per_s``: median of three tries, with ``orders_per_s_of_tries``; ``cpu_ms_per_order``: median,
        ``cpu_ms_of_tries``. Both of ``order`` sagas of 11 lines.
    """
    with scratch_folder("world") as folder, pinned(cpus):
        rates = [_rate(folder / f"{number}.db", workers, slots) for number in range(_TRIES)]
        costs = domain_cost()
    return {
        "orders_per_s": statistics.median(rates),
        "orders_per_s_of_tries": rates,
        "cpu_ms_per_order": costs.median_ms,
        "cpu_ms_of_tries": list(costs.tries_ms),
    }


def _rate(file: Path, workers: int, slots: int) -> float:
    world = World.create(file_url(file))
    try:
        basket = tuple(Line(f"P{number}", 2, 100) for number in range(LINES))
        ids = [f"order-{number}" for number in range(_SAGAS + workers * slots)]
        world.add_orders(Order(order_id=one, lines=basket) for one in ids)
        world.set_stock({f"P{number}": 10**9 for number in range(LINES)})
    finally:
        world.close()
    return world_rate(file_url(file), ids, workers, slots)


def is_bound_by_the_world(rate_per_s: float | None, world: dict[str, Any] | None) -> bool:
    """Whether a rate says little about the engine, because services and ledger alone take half of that."""
    if rate_per_s is None or not world:
        return False
    return rate_per_s > BOUND_BY_THE_WORLD * float(world["orders_per_s"])
