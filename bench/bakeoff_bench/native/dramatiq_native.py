"""The order saga on hand-written Dramatiq, timed: the yardstick for the Dramatiq adapter.

Starts ``python -m dramatiq`` on the actors of ``dramatiq_saga`` as a process of its own and keeps a fixed
number of sagas in flight (closed loop: it prices the machinery, it is no load test). Give it a running broker
and a Redis or Valkey for the results; every key and queue carries the namespace, nothing is flushed.

Run ``python -m bakeoff_bench.native.dramatiq_native --help``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from typing import Any

import redis.asyncio

from bakeoff_bench.native import dramatiq_saga as saga
from bakeoff_bench.native import drive

#: Threads that publish: Dramatiq's own calls block.
PUBLISHERS = 4


@asynccontextmanager
async def client(args: argparse.Namespace) -> AsyncIterator[drive.RunSaga]:
    """Connect; yields what starts one saga and waits for its outcome.

    The start is idempotent the usual way: one row that only one caller can write. The last actor publishes
    the outcome, and one subscription hears all of them, as in a web service that answers many callers;
    Dramatiq's own ``get_result(block=True)`` would keep a thread and a connection busy for each saga.
    """
    broker = saga.make_broker(args.broker, args.results, args.namespace, args.options)
    rows: redis.asyncio.Redis = redis.asyncio.Redis.from_url(args.results)
    ended: dict[str, asyncio.Future[None]] = {}
    loop = asyncio.get_running_loop()

    async def listen() -> None:
        async for message in subscription.listen():
            if message["type"] == "message":
                saga_id = json.loads(message["data"])["id"]
                if saga_id in ended:
                    ended.pop(saga_id).set_result(None)

    def publish(saga_id: str) -> None:
        saga.forward(broker, saga_id).run()

    async def run(saga_id: str) -> None:
        end = ended[saga_id] = loop.create_future()
        if await rows.set(f"{args.namespace}:started:{saga_id}", 1, nx=True, px=saga.RESULT_TTL_MS):
            await loop.run_in_executor(threads, publish, saga_id)
        await end

    with ThreadPoolExecutor(PUBLISHERS) as threads:
        async with rows, rows.pubsub() as subscription:
            await subscription.subscribe(saga.channel(args.namespace))
            listening = asyncio.create_task(listen())
            yield run
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening
    broker.close()


def work(args: argparse.Namespace) -> tuple[list[str], Mapping[str, str]]:
    """How the worker (a master and its children) is started: its command line and its variables."""
    command = [sys.executable, "-m", "dramatiq", f"{saga.__name__}:setup"]
    command += ["--processes", str(args.processes), "--threads", str(args.threads)]
    return command, {
        saga.BROKER_VARIABLE: args.broker, saga.RESULTS_VARIABLE: args.results,
        saga.NAMESPACE_VARIABLE: args.namespace, saga.OPTIONS_VARIABLE: json.dumps(args.options),
        saga.BODY_VARIABLE: args.body,
    }  # fmt: skip


def bench(args: argparse.Namespace) -> dict[str, Any]:
    """Start the worker, drive the sagas and stop the worker again."""
    command, variables = work(args)
    log = None if args.verbose else subprocess.DEVNULL
    environment = {**os.environ, **variables}
    worker = subprocess.Popen(command, env=environment, stderr=log, process_group=0)
    drive.end_in_order()
    try:
        return asyncio.run(drive.drive(client(args), args))
    finally:
        worker.terminate()
        with suppress(subprocess.TimeoutExpired):
            worker.wait(timeout=20)
        # The children outlive a killed master: the whole group has to go.
        with suppress(ProcessLookupError):
            os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()


def main(argv: Sequence[str] | None = None) -> None:
    """Parse the command line; ``bench`` prints one JSON object."""
    parser = argparse.ArgumentParser(prog="dramatiq_native", description=(__doc__ or "").partition("\n")[0])
    drive.add_arguments(parser, sagas=1000, warm_up=100)
    parser.add_argument("--broker", default="redis://127.0.0.1:6379/0", help="redis:// or amqp:// URL")
    parser.add_argument(
        "--results", default=None, help="redis:// URL of outcomes and rows (default: the broker)"
    )
    parser.add_argument("--namespace", default="bakeoff-native", help="put before every key and queue name")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--threads", type=int, default=4, help="steps at once in one process")
    parser.add_argument(
        "--options", type=json.loads, default={}, help="JSON: arguments of Dramatiq's broker and time limit"
    )
    parser.add_argument(
        "--body", default=saga.DEFAULT_BODY, help="module:function of (step, saga id, attempt)"
    )
    args = parser.parse_args(argv)
    args.results = args.results or args.broker
    if args.role == "worker":
        command, variables = work(args)
        os.execve(command[0], command, {**os.environ, **variables})
    elif args.role == "show":
        command, variables = work(args)
        print(json.dumps({"command": command, "variables": variables}))
    elif args.role == "client":
        asyncio.run(drive.serve_native(client(args)))
    else:
        print(json.dumps({"native": "dramatiq", **bench(args)}))


if __name__ == "__main__":
    main()
