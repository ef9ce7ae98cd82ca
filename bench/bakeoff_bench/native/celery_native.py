"""The order saga on hand-written Celery, timed: the yardstick for the Celery adapter.

Starts ``celery worker`` (prefork) on the tasks of ``celery_saga`` as a process of its own and keeps a fixed
number of sagas in flight (closed loop: it prices the machinery, it is no load test). Give it a running broker
and a Redis or Valkey for the results; every name carries the queue's, nothing is purged.

Run ``python -m bakeoff_bench.native.celery_native --help``.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import redis
from celery import Celery

from bakeoff_bench.native import celery_saga as saga

RESULT_TIMEOUT_S = 60
ROW_TTL_S = 3600


def run_one(app: Celery, rows: redis.Redis, queue: str, saga_id: str) -> float:
    """Start one saga and wait for its outcome; return the seconds that it took.

    The start is idempotent the usual way: one row that only one caller can write.
    """
    began = time.perf_counter()
    if rows.set(f"{queue}:started:{saga_id}", 1, nx=True, ex=ROW_TTL_S):
        saga.forward(app, saga_id).apply_async()
    outcome = app.AsyncResult(saga_id)
    outcome.get(timeout=RESULT_TIMEOUT_S, propagate=False)
    if outcome.failed():
        app.AsyncResult(saga.undone_id(saga_id)).get(timeout=RESULT_TIMEOUT_S)
    return time.perf_counter() - began


def drive(args: argparse.Namespace) -> dict[str, Any]:
    """Run the sagas, ``in_flight`` at a time, and return rate (per second) and latencies (milliseconds)."""
    app = saga.make_app(args.broker, args.results, args.queue, args.prefetch)
    rows: redis.Redis = redis.Redis.from_url(args.results)
    prefix = uuid.uuid4().hex[:8]

    def one(number: int) -> float:
        return run_one(app, rows, args.queue, f"{prefix}-{number}")

    with ThreadPoolExecutor(args.in_flight) as executor:
        list(executor.map(one, range(-args.warm_up, 0)))
        began = time.perf_counter()
        latencies_s = sorted(executor.map(one, range(args.sagas)))
        elapsed_s = time.perf_counter() - began
    rows.close()
    app.close()
    return {
        "native": "celery", "sagas": args.sagas, "in_flight": args.in_flight,
        "elapsed_s": round(elapsed_s, 3),
        "sagas_per_s": round(args.sagas / elapsed_s, 2),
        "p50_ms": round(statistics.median(latencies_s) * 1000, 1),
        "p95_ms": round(latencies_s[int(0.95 * (len(latencies_s) - 1))] * 1000, 1),
    }  # fmt: skip


def bench(args: argparse.Namespace) -> dict[str, Any]:
    """Start the worker (a master and its children), drive the sagas and stop the worker again."""
    command = [sys.executable, "-m", "celery", "--quiet", "-A", f"{saga.__name__}:app", "worker"]
    command += ["--pool", "prefork", "--concurrency", str(args.processes), "--loglevel", "warning"]
    command += ["--without-mingle", "--without-gossip"]
    environment = {
        **os.environ, saga.BROKER_VARIABLE: args.broker, saga.RESULTS_VARIABLE: args.results,
        saga.QUEUE_VARIABLE: args.queue, saga.PREFETCH_VARIABLE: str(args.prefetch),
        saga.BODY_VARIABLE: args.body,
    }  # fmt: skip
    log = None if args.verbose else subprocess.DEVNULL
    worker = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        return drive(args)
    finally:
        worker.terminate()
        with suppress(subprocess.TimeoutExpired):
            worker.wait(timeout=20)
        worker.kill()
        worker.wait()


def main(argv: Sequence[str] | None = None) -> None:
    """Parse the command line and print one JSON object."""
    parser = argparse.ArgumentParser(prog="celery_native", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--broker", default="redis://127.0.0.1:6379/0", help="redis:// or amqp:// URL")
    parser.add_argument("--results", default=None, help="redis:// URL of outcomes and rows (default: broker)")
    parser.add_argument("--queue", default="bakeoff-native", help="name of the queue and prefix of the rows")
    parser.add_argument("--sagas", type=int, default=1000)
    parser.add_argument("--warm-up", type=int, default=100, help="sagas before the clock starts")
    parser.add_argument("--in-flight", type=int, default=16)
    parser.add_argument("--processes", type=int, default=2, help="children of the prefork pool")
    parser.add_argument("--prefetch", type=int, default=1, help="messages that a child may hold (multiplier)")
    parser.add_argument("--body", default=saga.DEFAULT_BODY, help="module:function of (step, id, attempt)")
    parser.add_argument("--verbose", action="store_true", help="show the worker's log")
    args = parser.parse_args(argv)
    args.results = args.results or args.broker
    print(json.dumps(bench(args)))


if __name__ == "__main__":
    main()
