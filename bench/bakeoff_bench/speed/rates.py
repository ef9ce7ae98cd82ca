"""Closed-loop rates of an adapter, and of the hand-written native beside it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Sequence

from bakeoff.deployment import DEPLOYMENT_VARIABLE
from bakeoff.errors import BakeoffError
from bakeoff.orders.model import Order
from bakeoff.processes import kill_session
from bakeoff.sharing import processes_of_worker
from bakeoff.stack import Stack

#: Seconds that one saga may take.
_PATIENCE_S = 120.0


async def adapter_rate(
    stack: Stack, saga: str, inputs: Sequence[tuple[str, object]], in_flight: int
) -> float:
    """Start sagas and wait for their results, ``in_flight`` at a time; return sagas per second.

    Args:
        stack: A running engine.
        saga: Name of the saga.
        inputs: ``(workflow id, input)`` of each.
        in_flight: Closed loop.
    """
    waiting = iter(inputs)
    definition = stack.sagas[saga]

    async def slot() -> None:
        for workflow_id, input in waiting:
            await stack.client.start(definition, workflow_id, input)
            await stack.client.result(workflow_id, _PATIENCE_S)

    began = time.perf_counter()
    await asyncio.gather(*(slot() for _ in range(in_flight)))
    return len(inputs) / (time.perf_counter() - began)


def order_inputs(orders: Sequence[Order]) -> list[tuple[str, object]]:
    """What ``adapter_rate`` needs of orders."""
    return [(order.workflow_id, order.order_id) for order in orders]


def native_command(stack: Stack, sagas: int, in_flight: int, number: int) -> list[str] | None:
    """How the native of this engine is started beside it; ``None`` if there is none for it.

    It uses the same server, under names of its own, and as many slots as the adapter's worker, in one process
    where the adapter's worker is several.
    """
    addresses, settings = stack.deployment.addresses, stack.deployment.settings
    whole = stack.deployment.slots * processes_of_worker(settings)
    slots = str(whole)
    modules = {"celery": "celery_native", "dramatiq": "dramatiq_native", "temporal": "temporal_native"}
    engine = stack.deployment.engine
    if engine not in modules:
        return None
    command = [sys.executable, "-m", f"bakeoff_bench.native.{modules[engine]}"]
    command += ["--sagas", str(sagas), "--warm-up", str(in_flight), "--in-flight", str(in_flight)]
    command += ["--body", "bakeoff_bench.native.services:perform"]
    name = f"bakeoff-native-{number}"
    if engine == "temporal":
        return [*command, "--address", addresses["temporal"], "--task-queue", name, "--concurrency", slots]
    broker = addresses["broker"]
    servers = ["--broker", broker, "--results", addresses.get("results", broker)]
    if engine == "celery":
        return [*command, *servers, "--queue", name, "--processes", slots]
    processes = int(settings["processes"])
    shared = ["--processes", str(processes), "--threads", str(whole // processes)]
    return [*command, *servers, "--namespace", name, *shared]


async def native_rate(stack: Stack, command: Sequence[str]) -> float:
    """Run the native to its end and return its sagas per second.

    Raises:
        BakeoffError: If it failed, with the end of what it printed.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, DEPLOYMENT_VARIABLE: str(stack.deployment_file)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,  # with its worker in it
    )
    stack.launcher.watchdog.watch(process.pid)
    try:
        out, err = await process.communicate()
    except asyncio.CancelledError:
        process.terminate()
        await process.wait()
        raise
    finally:
        await asyncio.to_thread(kill_session, process.pid)
        stack.launcher.watchdog.forget(process.pid)
    if process.returncode:
        raise BakeoffError(f"the native failed: {err.decode(errors='replace')[-500:]}")
    return float(json.loads(out)["sagas_per_s"])
