"""What the services and their ledger cost by themselves: no engine, one thread."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from bakeoff.orders import ORDER
from bakeoff.orders.model import Line, Order
from bakeoff.saga import Call, idempotency_key
from bakeoff.world import World, perform
from bakeoff.world.database import file_url

#: The median basket of the real orders.
LINES = 11


def cpu_ms_per_order(sagas: int) -> tuple[float, float]:
    """Run ``order`` sagas step by step; return milliseconds of CPU and of wall clock per saga."""
    with tempfile.TemporaryDirectory(prefix="bakeoff-speed-") as folder:
        world = World.create(file_url(Path(folder) / "world.db"))
        try:
            orders = [
                Order(order_id=str(number), lines=tuple(Line(f"P{line}", 2, 100) for line in range(LINES)))
                for number in range(sagas + 20)
            ]
            world.add_orders(orders)
            world.set_stock({f"P{line}": 2 * len(orders) for line in range(LINES)})
            for order in orders[:20]:  # warm up
                _saga(world, order)
            cpu_s, wall_s = time.process_time(), time.perf_counter()
            for order in orders[20:]:
                _saga(world, order)
            return (
                (time.process_time() - cpu_s) * 1000 / sagas,
                (time.perf_counter() - wall_s) * 1000 / sagas,
            )
        finally:
            world.close()


def _saga(world: World, order: Order) -> None:
    services = world.services()
    for step in ORDER.steps():
        call = Call(
            workflow_id=order.workflow_id,
            step=step.name,
            direction="action",
            input=order.order_id,
            results={},
            attempt=1,
            key=idempotency_key(order.workflow_id, step.name, "action"),
        )
        perform(services, ORDER, call)
