"""The order saga on hand-written Celery, timed: the yardstick for the Celery adapter.

Starts ``celery worker`` (prefork) on the tasks of ``celery_saga`` as a process of its own and keeps a fixed
number of sagas in flight (closed loop: it prices the machinery, it is no load test). Give it a running broker
and a Redis or Valkey for the results; every name carries the queue's, nothing is purged.

Run ``python -m bakeoff_bench.native.celery_native --help``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from typing import Any

import redis.asyncio

from bakeoff_bench.native import celery_saga as saga
from bakeoff_bench.native import drive

ROW_TTL_S = 3600
#: Threads that publish: Celery's own calls block.
PUBLISHERS = 4
_KEY = b"celery-task-meta-"


@asynccontextmanager
async def client(args: argparse.Namespace) -> AsyncIterator[drive.RunSaga]:
    """Connect; yields what starts one saga and waits for its outcome.

    The start is idempotent the usual way: one row that only one caller can write. Celery publishes each
    result on a channel called like its key, and one subscription hears all of them, as in a web service that
    answers many callers; a thread per saga in ``AsyncResult.get()`` would cost several times as much.
    """
    app = saga.make_app(args.broker, args.results, args.queue, args.conf)
    rows: redis.asyncio.Redis = redis.asyncio.Redis.from_url(args.results)
    ended: dict[bytes, asyncio.Future[None]] = {}
    loop = asyncio.get_running_loop()

    async def listen() -> None:
        async for message in subscription.listen():
            if message["type"] == "pmessage" and json.loads(message["data"])["status"] == "SUCCESS":
                saga_id = message["channel"].removeprefix(_KEY).removesuffix(saga.UNDONE.encode())
                if saga_id in ended:
                    ended.pop(saga_id).set_result(None)

    def publish(saga_id: str) -> None:
        saga.forward(app, saga_id).apply_async()

    async def run(saga_id: str) -> None:
        end = ended[saga_id.encode()] = loop.create_future()
        if await rows.set(f"{args.queue}:started:{saga_id}", 1, nx=True, ex=ROW_TTL_S):
            await loop.run_in_executor(threads, publish, saga_id)
        await end

    with ThreadPoolExecutor(PUBLISHERS) as threads:
        async with rows, rows.pubsub() as subscription:
            await subscription.psubscribe(f"{_KEY.decode()}*")
            listening = asyncio.create_task(listen())
            yield run
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening
    app.close()


def work(args: argparse.Namespace) -> tuple[list[str], Mapping[str, str]]:
    """How the worker (a master and its children) is started: its command line and its variables."""
    command = [sys.executable, "-m", "celery", "--quiet", "-A", f"{saga.__name__}:app", "worker"]
    command += ["--pool", args.pool, "--concurrency", str(args.processes), "--loglevel", "warning"]
    command += ["--without-mingle", "--without-gossip", "--without-heartbeat"]
    return command, {
        saga.BROKER_VARIABLE: args.broker, saga.RESULTS_VARIABLE: args.results,
        saga.QUEUE_VARIABLE: args.queue, saga.CONF_VARIABLE: json.dumps(args.conf),
        saga.BODY_VARIABLE: args.body,
    }  # fmt: skip


def bench(args: argparse.Namespace) -> dict[str, Any]:
    """Start the worker, drive the sagas and stop the worker again."""
    command, variables = work(args)
    log = None if args.verbose else subprocess.DEVNULL
    environment = {**os.environ, **variables}
    worker = subprocess.Popen(command, env=environment, stdout=log, stderr=log, process_group=0)
    drive.end_in_order()
    try:
        return asyncio.run(drive.drive(client(args), args))
    finally:
        worker.terminate()
        with suppress(subprocess.TimeoutExpired):
            worker.wait(timeout=20)
        worker.kill()
        worker.wait()


def main(argv: Sequence[str] | None = None) -> None:
    """Parse the command line; ``bench`` prints one JSON object."""
    parser = argparse.ArgumentParser(prog="celery_native", description=(__doc__ or "").partition("\n")[0])
    drive.add_arguments(parser, sagas=1000, warm_up=100)
    parser.add_argument("--broker", default="redis://127.0.0.1:6379/0", help="redis:// or amqp:// URL")
    parser.add_argument("--results", default=None, help="redis:// URL of outcomes and rows (default: broker)")
    parser.add_argument("--queue", default="bakeoff-native", help="name of the queue and prefix of the rows")
    parser.add_argument("--processes", type=int, default=2, help="children (or threads) of the pool")
    parser.add_argument("--pool", default="prefork", choices=("prefork", "threads"))
    parser.add_argument("--conf", type=json.loads, default={}, help="JSON of Celery's own configuration")
    parser.add_argument("--body", default=saga.DEFAULT_BODY, help="module:function of (step, id, attempt)")
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
        print(json.dumps({"native": "celery", **bench(args)}))


if __name__ == "__main__":
    main()
