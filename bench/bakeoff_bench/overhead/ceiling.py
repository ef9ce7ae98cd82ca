"""How many ``order`` sagas the World takes with no engine at all: the ceiling of every throughput."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.synchronize import Barrier
from typing import Any

from bakeoff.errors import BakeoffError
from bakeoff.orders import ORDER
from bakeoff.saga import Call, idempotency_key
from bakeoff.world import Services, World, perform

#: An engine above this share of the ceiling is bound by the World, not by itself.
BOUND_BY_THE_WORLD = 0.5
#: Seconds for a process to import everything and open the database, and then to write.
_READY_WITHIN_S, _WRITTEN_WITHIN_S = 60.0, 180.0


def world_rate(world_url: str, ids: Sequence[str], processes: int, threads: int) -> float:
    """Perform these orders, which are in the World, step by step; return sagas per second.

    Args:
        world_url: Of the services' database.
        ids: Workflow ids of the orders; the first of each thread is not timed.
        processes: That write at once, as the engine's workers do.
        threads: In each of them; every one does one saga after the other.
    """
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(processes)
    told: Any = context.Queue()
    shares = [ids[number::processes] for number in range(processes)]
    writers = [
        context.Process(target=_write, args=(world_url, share, threads, barrier, told), daemon=True)
        for share in shares
    ]
    try:
        for writer in writers:
            writer.start()
        spans = [told.get(timeout=_READY_WITHIN_S + _WRITTEN_WITHIN_S) for _ in writers]
    except Exception as error:  # queue.Empty, or a process that could not start
        raise BakeoffError(f"the World's ceiling could not be measured: {error!r}") from error
    finally:
        for writer in writers:
            writer.kill()
            writer.join()
    began, ended, counts = zip(*spans, strict=True)
    return float(sum(counts) / (max(ended) - min(began)))


def _write(world_url: str, ids: Sequence[str], threads: int, barrier: Barrier, told: Any) -> None:
    """The body of one process; tells ``(began, ended, sagas)`` by the clock that all processes share."""
    world = World.open(world_url)
    services = world.services()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda one: order(services, one), ids[:threads]))
        barrier.wait(_READY_WITHIN_S)
        began = time.monotonic()
        list(pool.map(lambda one: order(services, one), ids[threads:]))
    told.put((began, time.monotonic(), len(ids) - threads))
    world.close()


def order(services: Services, workflow_id: str) -> None:
    """One ``order`` saga as nothing but calls."""
    for step in ORDER.steps():
        call = Call(
            workflow_id=workflow_id,
            step=step.name,
            direction="action",
            input=workflow_id,
            results={},
            attempt=1,
            key=idempotency_key(workflow_id, step.name, "action"),
        )
        perform(services, ORDER, call)
