"""The order saga on hand-written Dramatiq, timed: the yardstick for the Dramatiq adapter.

Starts ``python -m dramatiq`` on the actors of ``dramatiq_saga`` as a process of its own and keeps a fixed
number of sagas in flight (closed loop: it prices the machinery, it is no load test). Give it a running broker
and a Redis or Valkey for the results; every key and queue carries the namespace, nothing is flushed.

Run ``python -m bakeoff_bench.native.dramatiq_native --help``.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import dramatiq
import redis

from bakeoff_bench.native import dramatiq_saga as saga

RESULT_TIMEOUT_MS = 60_000


def run_one(broker: dramatiq.Broker, rows: redis.Redis, namespace: str, saga_id: str) -> float:
    """Start one saga and wait for its outcome; return the seconds that it took.

    The start is idempotent the usual way: one row that only one caller can write.
    """
    began = time.perf_counter()
    if rows.set(f"{namespace}:started:{saga_id}", 1, nx=True, px=saga.RESULT_TTL_MS):
        saga.forward(broker, saga_id).run()
    outcome = saga.outcome_message(broker, saga_id)
    outcome.get_result(backend=broker.get_results_backend(), block=True, timeout=RESULT_TIMEOUT_MS)
    return time.perf_counter() - began


def drive(args: argparse.Namespace) -> dict[str, Any]:
    """Run the sagas, ``in_flight`` at a time, and return rate (per second) and latencies (milliseconds)."""
    broker = saga.make_broker(args.broker, args.results, args.namespace)
    rows: redis.Redis = redis.Redis.from_url(args.results)
    prefix = uuid.uuid4().hex[:8]

    def one(number: int) -> float:
        return run_one(broker, rows, args.namespace, f"{prefix}-{number}")

    with ThreadPoolExecutor(args.in_flight) as executor:
        list(executor.map(one, range(-args.warm_up, 0)))
        began = time.perf_counter()
        latencies_s = sorted(executor.map(one, range(args.sagas)))
        elapsed_s = time.perf_counter() - began
    rows.close()
    broker.close()
    return {
        "native": "dramatiq",
        "sagas": args.sagas,
        "in_flight": args.in_flight,
        "elapsed_s": round(elapsed_s, 3),
        "sagas_per_s": round(args.sagas / elapsed_s, 2),
        "p50_ms": round(statistics.median(latencies_s) * 1000, 1),
        "p95_ms": round(latencies_s[int(0.95 * (len(latencies_s) - 1))] * 1000, 1),
    }


def bench(args: argparse.Namespace) -> dict[str, Any]:
    """Start the worker (a master and its children), drive the sagas and stop the worker again."""
    command = [sys.executable, "-m", "dramatiq", f"{saga.__name__}:setup"]
    command += ["--processes", str(args.processes), "--threads", str(args.threads)]
    environment = {
        **os.environ, saga.BROKER_VARIABLE: args.broker, saga.RESULTS_VARIABLE: args.results,
        saga.NAMESPACE_VARIABLE: args.namespace, saga.BODY_VARIABLE: args.body,
    }  # fmt: skip
    log = None if args.verbose else subprocess.DEVNULL
    worker = subprocess.Popen(command, env=environment, stderr=log, start_new_session=True)
    try:
        return drive(args)
    finally:
        worker.terminate()
        with suppress(subprocess.TimeoutExpired):
            worker.wait(timeout=20)
        # The children outlive a killed master: the whole group has to go.
        with suppress(ProcessLookupError):
            os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()


def main(argv: Sequence[str] | None = None) -> None:
    """Parse the command line and print one JSON object."""
    parser = argparse.ArgumentParser(prog="dramatiq_native", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--broker", default="redis://127.0.0.1:6379/0", help="redis:// or amqp:// URL")
    parser.add_argument(
        "--results", default=None, help="redis:// URL of outcomes and rows (default: the broker)"
    )
    parser.add_argument("--namespace", default="bakeoff-native", help="put before every key and queue name")
    parser.add_argument("--sagas", type=int, default=1000)
    parser.add_argument("--warm-up", type=int, default=100, help="sagas before the clock starts")
    parser.add_argument("--in-flight", type=int, default=16)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--threads", type=int, default=4, help="steps at once in one process")
    parser.add_argument(
        "--body", default=saga.DEFAULT_BODY, help="module:function of (step, saga id, attempt)"
    )
    parser.add_argument("--verbose", action="store_true", help="show the worker's log")
    args = parser.parse_args(argv)
    args.results = args.results or args.broker
    print(json.dumps(bench(args)))


if __name__ == "__main__":
    main()
