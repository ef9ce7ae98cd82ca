"""The order saga as a plain function with timeouts, timed: the yardstick for the in-process runner.

No engine at all: a coroutine that calls each step in a thread (steps block), with a timeout and three
attempts, and undoes in reverse what may have happened.

Run ``python -m bakeoff_bench.native.plain_native --help``.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

from bakeoff_bench.native import drive

DEFAULT_BODY = "bakeoff_bench.native.plain_native:do_nothing"

#: Step and what undoes it; the last step has no undo.
STEPS: list[tuple[str, str | None]] = [
    ("reserve_inventory", "release_inventory"),
    ("charge_payment", "refund_payment"),
    ("create_shipment", "cancel_shipment"),
    ("send_confirmation", None),
]
#: As the sagas of ``bakeoff.orders`` have them.
ATTEMPTS, UNDO_ATTEMPTS, FIRST_PAUSE_S = 3, 10, 0.1
TIMEOUT_S, UNDO_TIMEOUT_S = 2.0, 10.0


class Declined(Exception):
    """A step said no: never retried, and it has nothing of its own to undo."""


def do_nothing(step: str, saga_id: str, attempt: int) -> Any:
    """Be the empty body: a step that only exists. ``attempt`` counts from 1."""
    return None


@asynccontextmanager
async def client(args: argparse.Namespace) -> AsyncIterator[drive.RunSaga]:
    """Yields the function that is the saga."""
    module, _, attribute = args.body.partition(":")
    body: Callable[[str, str, int], Any] = getattr(importlib.import_module(module), attribute)
    loop = asyncio.get_running_loop()
    started: set[str] = set()

    async def attempt(step: str, saga_id: str, attempts: int, timeout_s: float) -> None:
        for number in range(1, attempts + 1):
            try:
                async with asyncio.timeout(timeout_s):
                    await loop.run_in_executor(threads, body, step, saga_id, number)
                return
            except Declined:
                raise
            except Exception:
                if number == attempts:
                    raise
            await asyncio.sleep(FIRST_PAUSE_S * 2 ** (number - 1))

    async def back(saga_id: str, undos: Sequence[str]) -> list[str]:
        """Return the undos that gave up: one that does must not stop the others."""
        gave_up = []
        for undo in undos:
            try:
                await attempt(undo, saga_id, UNDO_ATTEMPTS, UNDO_TIMEOUT_S)
            except Exception:
                gave_up.append(undo)
        return gave_up

    async def run(saga_id: str) -> list[str]:
        if saga_id in started:
            return []
        started.add(saga_id)
        done: list[str | None] = []
        try:
            for step, undo in STEPS:
                done.append(undo)  # before the action: a step that timed out may have happened
                await attempt(step, saga_id, ATTEMPTS, TIMEOUT_S)
        except Exception as error:
            undos = done[:-1] if isinstance(error, Declined) else done
            return await back(saga_id, [undo for undo in reversed(undos) if undo])
        return []

    with ThreadPoolExecutor(args.threads) as threads:
        yield run


def main(argv: Sequence[str] | None = None) -> None:
    """Parse the command line; ``bench`` prints one JSON object."""
    parser = argparse.ArgumentParser(prog="plain_native", description=(__doc__ or "").partition("\n")[0])
    drive.add_arguments(parser, sagas=1000, warm_up=100)
    parser.add_argument("--threads", type=int, default=32, help="steps at once")
    parser.add_argument("--body", default=DEFAULT_BODY, help="module:function of (step, saga id, attempt)")
    args = parser.parse_args(argv)
    if args.role in ("worker", "show"):
        parser.error("a function has no worker")
    elif args.role == "client":
        asyncio.run(drive.serve_native(client(args)))
    else:
        print(json.dumps({"native": "plain", **asyncio.run(drive.drive(client(args), args))}))


if __name__ == "__main__":
    main()
