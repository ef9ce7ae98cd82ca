"""One round: both sides in turns, each alone beside the servers, measured in windows."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bakeoff.errors import BakeoffError
from bakeoff.orders.model import Line, Order
from bakeoff.processes import Child, Launch, pause_session, resume_session
from bakeoff.processes.watchdog import Watchdog
from bakeoff.stack import Backend
from bakeoff_bench.overhead.cpu import cpu_between, cpu_by_process
from bakeoff_bench.overhead.sides import Side

SAGAS = ("noop", "order")
IN_FLIGHT = 16
#: Sagas of a kind before the windows: every slot has then acted, and connections are open.
WARM_UP = 4 * IN_FLIGHT
#: Sagas one at a time per round, of which the median is taken.
IDLE = 30
#: The median basket of the real orders.
LINES = 11
#: So many times more sagas where nothing is between the calls: a window must be long beside a clock tick.
IN_PROCESS_TIMES = 10
#: Seconds that a window may take, its worker's start included.
_PATIENCE_S = 180.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What one side did with one saga in one round.

    Attributes:
        per_s: Sagas per second, closed loop, ``IN_FLIGHT`` in flight.
        cpu_ms: Milliseconds of CPU per saga in that loop: workers, client and servers.
        cpu_ms_by_part: The same, apart.
        idle_p50_ms: Median latency of sagas one at a time.
    """

    per_s: float
    cpu_ms: float
    cpu_ms_by_part: Mapping[str, float]
    idle_p50_ms: float


#: ``{side: {saga: window}}``.
Round = Mapping[str, Mapping[str, Window]]


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
async def running_client(side: Side, log: Path, watchdog: Watchdog) -> AsyncIterator[Client]:
    """Start the side's client process, which ends with its standard input; the watchdog knows of it."""
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
    watchdog.watch(process.pid)  # one that is stopped does not see that its input ends
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
        watchdog.forget(process.pid)


@dataclass(frozen=True, slots=True)
class _Running:
    """A side that is up; its processes are stopped (SIGSTOP) while it is not its turn."""

    side: Side
    client: Client
    worker: Child | None

    @property
    def leaders(self) -> list[int]:
        return [self.client.pid, *([self.worker.pid] if self.worker is not None else [])]


@asynccontextmanager
async def _running(backend: Backend, side: Side) -> AsyncIterator[_Running]:
    launcher, worker = backend.launcher, None
    if side.worker is not None:
        worker = launcher.start(f"worker-{side.name}", Launch(argv=side.worker, env=side.env))
    try:
        log = Path(backend.deployment.folder) / f"client-{side.name}.log"
        async with running_client(side, log, launcher.watchdog) as client:
            yield _Running(side, client, worker)
    except BakeoffError as error:
        told = f"\nits worker said: {worker.log_tail()}" if worker is not None else ""
        raise BakeoffError(f"{backend.deployment.engine}, {side.name}: {error}{told}") from error
    finally:
        if worker is not None:
            await asyncio.to_thread(launcher.stop, worker)


@contextmanager
def _paused(one: _Running) -> Iterator[None]:
    """Let the other side have the machine and the servers for itself."""
    try:
        for leader in one.leaders:
            pause_session(leader)
        yield
    finally:
        for leader in one.leaders:
            resume_session(leader)


async def take_round(backend: Backend, first: Side, second: Side, label: str, sagas: int) -> Round:
    """Start both sides, warm them up, measure them in turns A B B A, and stop them.

    What changes slowly on the machine, or in the database, then meets both alike.

    Args:
        backend: Servers and World, which both sides use.
        first: Whose turn is the first and the last.
        second: The other one.
        label: Part of the workflow ids: never used before.
        sagas: Of each side and kind in the closed loops; ``IN_PROCESS_TIMES`` as many in-process.
    """
    share = sagas // 2 * (IN_PROCESS_TIMES if backend.info.in_process else 1)
    tallies = {(side.name, saga): _Tally() for side in (first, second) for saga in SAGAS}
    async with _running(backend, first) as a, _running(backend, second) as b:
        for saga in SAGAS:
            for one, other in ((a, b), (b, a)):
                with _paused(other):
                    ids = make_ids(backend, saga, f"{label}-{one.side.name}-warm", WARM_UP)
                    await one.client.ask("run", ids, IN_FLIGHT)
        for saga in SAGAS:
            for number, (one, other) in enumerate(((a, b), (b, a), (b, a), (a, b))):
                with _paused(other):
                    name = f"{label}-{one.side.name}-{number}"
                    await _windows(backend, one, saga, name, share, tallies[one.side.name, saga])
    return {
        side.name: {saga: tallies[side.name, saga].window() for saga in SAGAS} for side in (first, second)
    }


async def _windows(backend: Backend, one: _Running, saga: str, name: str, sagas: int, tally: _Tally) -> None:
    """One turn: sagas one at a time, then the closed loop."""
    few = max(2, min(IDLE // 2, sagas // 4))  # of a measurement that is too short to mean anything
    idle = await one.client.ask("run", make_ids(backend, saga, f"{name}-idle", few), 1)
    ids = make_ids(backend, saga, name, sagas)
    parts = {
        "workers": [one.worker.pid] if one.worker is not None else [],
        "client": [one.client.pid],
        "servers": [server.child.pid for server in backend.servers if server.child is not None],
    }
    before = {part: cpu_by_process(leaders) for part, leaders in parts.items()}
    busy = await one.client.ask("run", ids, IN_FLIGHT)
    for part, leaders in parts.items():
        tally.cpu_s[part] += cpu_between(before[part], cpu_by_process(leaders))
    tally.sagas += sagas
    tally.elapsed_s += busy["elapsed_s"]
    tally.idle_s += idle["latencies_s"]


@dataclass(slots=True)
class _Tally:
    """What a side's turns of one round add up to."""

    sagas: int = 0
    elapsed_s: float = 0.0
    cpu_s: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    idle_s: list[float] = field(default_factory=list)

    def window(self) -> Window:
        ms = {part: seconds * 1000 / self.sagas for part, seconds in self.cpu_s.items()}
        return Window(
            per_s=self.sagas / self.elapsed_s,
            cpu_ms=sum(ms.values()),
            cpu_ms_by_part=ms,
            idle_p50_ms=statistics.median(self.idle_s) * 1000,
        )


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


def first_order(side: Side) -> str:
    """Workflow id of an order that the side has run, whatever happened later."""
    return f"order-0-{side.name}-warm-0"
