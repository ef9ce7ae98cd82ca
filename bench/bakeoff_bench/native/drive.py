"""How a client process runs its sagas: closed loop, timed in the process itself, told by lines of JSON.

The natives and the client of an adapter are driven by this same code, so it is no part of their difference.
It knows no engine: a side hands over one coroutine that starts a saga and returns when it has ended.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import statistics
import sys
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

#: Starts the saga of that id; returns when it has ended.
RunSaga = Callable[[str], Awaitable[object]]


def end_in_order() -> None:
    """SIGTERM ends this process as Ctrl-C does: what it started is stopped on the way out."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))


async def closed_loop(run: RunSaga, ids: Sequence[str], in_flight: int) -> tuple[float, list[float]]:
    """Run the sagas ``in_flight`` at a time; return the seconds of all and of each."""
    waiting = iter(ids)
    latencies_s: list[float] = []

    async def slot() -> None:
        for saga_id in waiting:
            began = time.perf_counter()
            await run(saga_id)
            latencies_s.append(time.perf_counter() - began)

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(in_flight):
            group.create_task(slot())
    return time.perf_counter() - began, latencies_s


async def serve(calls: dict[str, RunSaga]) -> None:
    """Answer each line ``{"call": name, "ids": [...], "in_flight": n}`` of standard input, until it ends.

    The answer is ``{"elapsed_s": s, "latencies_s": [...]}``.
    """
    loop = asyncio.get_running_loop()
    print(json.dumps({"ready": True}), flush=True)
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        asked = json.loads(line)
        elapsed_s, latencies_s = await closed_loop(calls[asked["call"]], asked["ids"], asked["in_flight"])
        print(json.dumps({"elapsed_s": elapsed_s, "latencies_s": latencies_s}), flush=True)


async def drive(client: AbstractAsyncContextManager[RunSaga], args: argparse.Namespace) -> dict[str, Any]:
    """Run a native by itself; return its rate (per second) and latencies (milliseconds)."""
    prefix = uuid.uuid4().hex[:8]
    async with client as run:
        await closed_loop(
            run, [f"{prefix}-{-number}" for number in range(1, args.warm_up + 1)], args.in_flight
        )
        ids = [f"{prefix}-{number}" for number in range(args.sagas)]
        elapsed_s, latencies_s = await closed_loop(run, ids, args.in_flight)
    latencies_s.sort()
    return {
        "sagas": args.sagas,
        "in_flight": args.in_flight,
        "elapsed_s": round(elapsed_s, 3),
        "sagas_per_s": round(args.sagas / elapsed_s, 2),
        "p50_ms": round(statistics.median(latencies_s) * 1000, 1),
        "p95_ms": round(latencies_s[int(0.95 * (len(latencies_s) - 1))] * 1000, 1),
    }


async def serve_native(client: AbstractAsyncContextManager[RunSaga]) -> None:
    """Be the client process of a native: ``serve`` with the one call ``run``."""
    async with client as run:
        await serve({"run": run})


def add_arguments(parser: argparse.ArgumentParser, *, sagas: int, warm_up: int) -> None:
    """What every native's command line takes."""
    parser.add_argument(
        "role",
        choices=["bench", "client", "worker", "show"],
        nargs="?",
        default="bench",
        help="bench starts a worker and drives it; client and worker are the two halves; "
        "show prints how the SDK's worker would be started",
    )
    parser.add_argument("--sagas", type=int, default=sagas)
    parser.add_argument("--warm-up", type=int, default=warm_up, help="sagas before the clock starts")
    parser.add_argument("--in-flight", type=int, default=16)
    parser.add_argument("--verbose", action="store_true", help="show the worker's log")
