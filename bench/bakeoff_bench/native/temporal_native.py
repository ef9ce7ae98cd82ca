"""The order saga as a Temporal user writes it by hand: the yardstick for the Temporal adapter.

One workflow with four activities and three compensations, a worker that is a process of its own, and a
client that keeps a fixed number of sagas in flight (closed loop: the price of the machinery, no load test).
Nothing here imports an engine of bakeoff. What each activity does is pluggable (``--body``), so that the same
machinery can be measured with empty steps or with the steps that an adapter runs.

Run ``python -m bakeoff_bench.native.temporal_native --help``.

Source: Temporal's saga samples and the ``temporalio`` README (cancellation, sandbox, thread pool activities).
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from functools import cache
from typing import Any

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import RetryPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ActivityError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

with workflow.unsafe.imports_passed_through():
    from bakeoff_bench.native import drive

#: Import path of the function that every activity calls; activities run in the worker process only.
BODY_VARIABLE = "BAKEOFF_NATIVE_BODY"
DEFAULT_BODY = "bakeoff_bench.native.temporal_native:do_nothing"
#: As the sagas of ``bakeoff.orders`` have them.
RETRY = RetryPolicy(
    initial_interval=timedelta(milliseconds=100), maximum_interval=timedelta(seconds=10), maximum_attempts=3
)
TIMEOUT = timedelta(seconds=2)

Body = Callable[[str, str, int], Any]


def do_nothing(step: str, saga_id: str, attempt: int) -> Any:
    """Be the empty body: an activity that only exists. ``attempt`` counts from 1."""
    return None


@cache
def load_body() -> Body:
    """Import the body that the environment names, once per worker process."""
    module, _, attribute = os.environ.get(BODY_VARIABLE, DEFAULT_BODY).partition(":")
    body: Body = getattr(importlib.import_module(module), attribute)
    return body


def _run(step: str, saga_id: str) -> Any:
    return load_body()(step, saga_id, activity.info().attempt)


@activity.defn
def reserve_inventory(saga_id: str) -> Any:
    """Put the goods aside."""
    return _run("reserve_inventory", saga_id)


@activity.defn
def release_inventory(saga_id: str) -> Any:
    """Undo ``reserve_inventory``."""
    return _run("release_inventory", saga_id)


@activity.defn
def charge_payment(saga_id: str) -> Any:
    """Take the money."""
    return _run("charge_payment", saga_id)


@activity.defn
def refund_payment(saga_id: str) -> Any:
    """Undo ``charge_payment``."""
    return _run("refund_payment", saga_id)


@activity.defn
def create_shipment(saga_id: str) -> Any:
    """Order the parcel."""
    return _run("create_shipment", saga_id)


@activity.defn
def cancel_shipment(saga_id: str) -> Any:
    """Undo ``create_shipment``."""
    return _run("cancel_shipment", saga_id)


@activity.defn
def send_confirmation(saga_id: str) -> Any:
    """Tell the customer."""
    return _run("send_confirmation", saga_id)


ACTIVITIES: Sequence[Callable[[str], Any]] = [
    reserve_inventory, release_inventory, charge_payment, refund_payment,
    create_shipment, cancel_shipment, send_confirmation,
]  # fmt: skip


async def _do(step: Callable[[str], Any], saga_id: str) -> Any:
    return await workflow.execute_activity(step, saga_id, start_to_close_timeout=TIMEOUT, retry_policy=RETRY)


@workflow.defn(name="native-order")
class NativeOrder:
    """Four steps; when one fails, what may have happened is undone in reverse and the workflow fails."""

    @workflow.run
    async def run(self, order_id: str) -> str:
        """Run the saga for ``order_id`` (also its workflow id) and return the last step's result as text."""
        undo: list[Callable[[str], Any]] = []
        try:
            # Registered before the action: a step that timed out may have happened.
            undo.append(release_inventory)
            await _do(reserve_inventory, order_id)
            undo.append(refund_payment)
            await _do(charge_payment, order_id)
            undo.append(cancel_shipment)
            await _do(create_shipment, order_id)
            return str(await _do(send_confirmation, order_id))
        except (ActivityError, asyncio.CancelledError):
            # A cancel must not interrupt the undoing; GeneratorExit (cache eviction) must not start it.
            await asyncio.shield(asyncio.create_task(self._compensate(order_id, undo)))
            raise

    async def _compensate(self, order_id: str, undo: list[Callable[[str], Any]]) -> None:
        for step in reversed(undo):
            try:
                await _do(step, order_id)
            except ActivityError:
                workflow.logger.exception("compensation %s gave up", step.__name__)


async def work(args: argparse.Namespace) -> None:
    """Serve the task queue until SIGTERM or SIGINT; say ``ready`` on standard output first."""
    load_body()
    client = await Client.connect(args.address, namespace=args.namespace)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    if args.with_parent:
        threading.Thread(target=_watch_parent, args=(asyncio.get_running_loop(), stop), daemon=True).start()
    with ThreadPoolExecutor(args.concurrency) as executor:
        async with Worker(
            client,
            task_queue=args.task_queue,
            workflows=[NativeOrder],
            activities=ACTIVITIES,
            activity_executor=executor,
            max_concurrent_activities=args.concurrency,
            workflow_runner=SandboxedWorkflowRunner() if args.sandbox else UnsandboxedWorkflowRunner(),
            sticky_queue_schedule_to_start_timeout=timedelta(seconds=args.sticky_timeout),
            graceful_shutdown_timeout=timedelta(seconds=args.graceful_shutdown),
        ):
            print("ready", flush=True)
            await stop.wait()
    await asyncio.sleep(0.2)  # sdk-python#300: the core may still call into a loop that is gone


def _watch_parent(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Stop when standard input closes: the client that started this worker has died."""
    os.read(0, 1)  # not sys.stdin: its lock would be held at the exit of the interpreter
    loop.call_soon_threadsafe(stop.set)


@asynccontextmanager
async def client(args: argparse.Namespace) -> AsyncIterator[drive.RunSaga]:
    """Connect; yields what starts one saga and waits for its outcome by the SDK's long poll."""
    connected = await Client.connect(args.address, namespace=args.namespace)

    async def run(saga_id: str) -> None:
        handle = await connected.start_workflow(
            NativeOrder.run, saga_id, id=saga_id, task_queue=args.task_queue,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        )  # fmt: skip
        await handle.result()

    yield run
    await asyncio.sleep(0.2)  # sdk-python#300: the core may still call into a loop that is gone


def bench(args: argparse.Namespace) -> dict[str, Any]:
    """Start the worker process, drive the sagas and stop the worker again."""
    command = [sys.executable, "-m", "bakeoff_bench.native.temporal_native", "worker"]
    command += ["--address", args.address, "--namespace", args.namespace, "--task-queue", args.task_queue]
    command += ["--concurrency", str(args.concurrency), *(["--sandbox"] if args.sandbox else [])]
    worker = subprocess.Popen(
        [*command, "--with-parent"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, BODY_VARIABLE: args.body},
    )
    try:
        if worker.stdout is None or worker.stdout.readline().strip() != "ready":
            raise SystemExit("the native worker did not start")
        return asyncio.run(drive.drive(client(args), args))
    finally:
        worker.terminate()
        with suppress(subprocess.TimeoutExpired):
            worker.wait(timeout=10)
        worker.kill()


def main(argv: Sequence[str] | None = None) -> None:
    """Parse the command line; print one JSON object for ``bench``."""
    parser = argparse.ArgumentParser(prog="temporal_native", description=(__doc__ or "").partition("\n")[0])
    drive.add_arguments(parser, sagas=200, warm_up=32)
    parser.add_argument("--address", default="127.0.0.1:7233", help="host:port of a running Temporal server")
    parser.add_argument("--namespace", default="default")
    parser.add_argument("--task-queue", default="bakeoff-native")
    parser.add_argument("--concurrency", type=int, default=16, help="activities at once (threads)")
    parser.add_argument("--sandbox", action="store_true", help="keep the SDK's workflow sandbox on")
    parser.add_argument("--sticky-timeout", type=float, default=10.0, metavar="SECONDS")
    parser.add_argument("--graceful-shutdown", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("--with-parent", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--body", default=DEFAULT_BODY, help="module:function of (step, saga id, attempt)")
    args = parser.parse_args(argv)
    if args.role == "show":
        parser.error("this worker becomes no other program")
    elif args.role == "worker":
        asyncio.run(work(args))
    elif args.role == "client":
        asyncio.run(drive.serve_native(client(args)))
    else:
        print(json.dumps({"native": "temporal", **bench(args)}))


if __name__ == "__main__":
    main()
