"""One turn of one side: its worker and client alone beside the servers, measured in windows."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bakeoff.errors import BakeoffError
from bakeoff.orders.model import Line, Order
from bakeoff.processes import Launch
from bakeoff.stack import Backend
from bakeoff_bench.overhead.cpu import cpu_between, cpu_by_process
from bakeoff_bench.overhead.sides import Side

SAGAS = ("noop", "order")
IN_FLIGHT = 16
#: Sagas of a kind before the windows: every slot has then acted, and connections are open.
WARM_UP = 4 * IN_FLIGHT
#: Sagas one at a time, of which the median is taken.
IDLE = 30
#: The median basket of the real orders.
LINES = 11
#: Seconds that a window may take, its worker's start included.
_PATIENCE_S = 180.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What one side did with one saga in one round.

    Attributes:
        per_s: Sagas per second, closed loop, ``IN_FLIGHT`` in flight.
        cpu_ms: Milliseconds of CPU per saga in that loop: worker, client and servers.
        idle_p50_ms: Median latency of sagas one at a time.
    """

    per_s: float
    cpu_ms: float
    idle_p50_ms: float


class Client:
    """A client process and its pipe."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self._log = log

    @property
    def pid(self) -> int:
        """Of the process, which leads a session."""
        return self._process.pid

    async def ask(self, call: str, ids: Sequence[str], in_flight: int) -> dict[str, Any]:
        """Have it run or start these sagas; return its answer (``native.drive.serve``).

        Raises:
            BakeoffError: If it failed or did not answer in time.
        """
        assert self._process.stdin is not None
        with suppress(ConnectionError):  # it has ended: ``answer`` tells why
            question = {"call": call, "ids": list(ids), "in_flight": in_flight}
            self._process.stdin.write(json.dumps(question).encode() + b"\n")
            await self._process.stdin.drain()
        return await self.answer()

    async def answer(self) -> dict[str, Any]:
        """Read its next line."""
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(_PATIENCE_S):
                line = await self._process.stdout.readline()
        except TimeoutError:
            raise BakeoffError(f"the client did not answer within {_PATIENCE_S:.0f} s") from None
        if not line:
            raise BakeoffError(f"the client failed: {self._log.read_text(errors='replace').strip()[-800:]}")
        answer: dict[str, Any] = json.loads(line)
        return answer


@asynccontextmanager
async def running_client(side: Side, log: Path) -> AsyncIterator[Client]:
    """Start the side's client process, which ends with its standard input."""
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            *side.client,
            env={**os.environ, **side.env},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            limit=2**24,
            start_new_session=True,
        )
    try:
        client = Client(process, log)
        await client.answer()  # it is ready
        yield client
        assert process.stdin is not None
        process.stdin.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(10):
                await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def take_turn(backend: Backend, side: Side, label: str, sagas: int) -> dict[str, Window]:
    """Start the side, warm it up, measure it, stop it; return ``{saga: window}``.

    Args:
        backend: Servers and World, which both sides use in turns.
        side: Whose turn it is.
        label: Part of the workflow ids: never used before.
        sagas: In the closed loop, of each kind.
    """
    launcher, servers = backend.launcher, [s.child.pid for s in backend.servers if s.child is not None]
    worker = None
    if side.worker is not None:
        worker = launcher.start(f"worker-{side.name}", Launch(argv=side.worker, env=side.env))
    log = Path(backend.deployment.folder) / f"client-{side.name}.log"
    windows: dict[str, Window] = {}
    try:
        async with running_client(side, log) as client:
            leaders = [*servers, client.pid, *([worker.pid] if worker is not None else [])]
            for saga in SAGAS:
                await client.ask("run", make_ids(backend, saga, f"{label}-warm", WARM_UP), IN_FLIGHT)
            for saga in SAGAS:
                idle = await client.ask("run", make_ids(backend, saga, f"{label}-idle", IDLE), 1)
                ids = make_ids(backend, saga, label, sagas)
                before = cpu_by_process(leaders)
                busy = await client.ask("run", ids, IN_FLIGHT)
                cpu_s = cpu_between(before, cpu_by_process(leaders))
                windows[saga] = Window(
                    per_s=sagas / busy["elapsed_s"],
                    cpu_ms=cpu_s * 1000 / sagas,
                    idle_p50_ms=statistics.median(idle["latencies_s"]) * 1000,
                )
    except BakeoffError as error:
        told = f"\nits worker said: {worker.log_tail()}" if worker is not None else ""
        raise BakeoffError(f"{backend.deployment.engine}, {side.name}: {error}{told}") from error
    finally:
        if worker is not None:
            await asyncio.to_thread(launcher.stop, worker)
    return windows


def make_ids(backend: Backend, saga: str, label: str, count: int) -> list[str]:
    """Workflow ids of new sagas; orders are put into the World, with a basket of ``LINES`` lines each."""
    ids = [f"{saga}-{label}-{number}" for number in range(count)]
    if saga == "order":
        basket = tuple(Line(f"P{number}", 2, 100) for number in range(LINES))
        backend.world.add_orders(Order(order_id=one, lines=basket) for one in ids)
    return ids


def fill_shelves(backend: Backend) -> None:
    """Enough for every order of a measurement."""
    backend.world.set_stock({f"P{number}": 10**9 for number in range(LINES)})
