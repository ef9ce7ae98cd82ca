"""A running engine, and the sagas that a benchmark sends through it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from bakeoff.checkers import Planned
from bakeoff.contract.contestants import Contestant
from bakeoff.contract.stack_thread import StackThread
from bakeoff.engine import EngineClient
from bakeoff.expectation import Facts, expect
from bakeoff.orders import ORDER
from bakeoff.orders.model import Order
from bakeoff.outcome import Outcome
from bakeoff.processes import scratch_folder
from bakeoff.saga import Saga
from bakeoff.stack import Stack, StackPlan
from bakeoff.world import Fate
from bakeoff_bench.ordeals.orders import lone_order, stock_for

T = TypeVar("T")

SAGAS = ("bakeoff.orders", "bakeoff_bench.suite.sagas")
#: Seconds that one saga may take, and that a call of a client may take beyond that.
PATIENCE_S, _ANSWER_S = 60.0, 20.0


@dataclass(slots=True, kw_only=True)
class Sent:
    """One saga of a round.

    Attributes:
        began_at: Unix seconds at which its start was asked for.
        began_s, started_s, ended_s: Monotonic seconds of that, of its acknowledgement, and of the outcome;
            taken beside the client, without the way to the benchmark's own thread.
        outcome: The engine's word.
    """

    saga: Saga
    planned: Planned
    began_at: float = 0.0
    began_s: float = 0.0
    started_s: float = 0.0
    ended_s: float = 0.0
    outcome: Outcome | None = None

    @property
    def workflow_id(self) -> str:
        """Nobody else's."""
        return self.planned.workflow_id


@dataclass(slots=True)
class Site:
    """One running engine; everything here but the coroutines is called from the thread of the benchmark."""

    contestant: Contestant
    stack: Stack
    thread: StackThread
    _mark: str = field(default_factory=lambda: uuid.uuid4().hex[:6])
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def new_id(self) -> str:
        """An id that nobody used before."""
        return f"bench-{self._mark}-{next(self._numbers)}"

    def orders(self, count: int) -> list[Order]:
        """New orders, each with goods of its own on the shelves: nobody waits for another one's row."""
        orders = [lone_order(self.new_id()) for _ in range(count)]
        self.stack.world.add_orders(orders)
        self.stack.world.set_stock(stock_for(orders))
        return orders

    def order_sagas(self, count: int) -> list[Sent]:
        """The saga ``order`` for as many new orders; nothing is started."""
        expected = expect(ORDER, {})
        return [
            Sent(
                saga=ORDER,
                planned=Planned(
                    workflow_id=order.workflow_id,
                    input=order.order_id,
                    order_id=order.order_id,
                    expected=expected,
                ),
            )
            for order in self.orders(count)
        ]

    def prepare(
        self, saga: Saga, fates: Mapping[str, Fate] | None = None, facts: Facts | None = None
    ) -> Sent:
        """Any other saga, and what it must come to; it is not started."""
        workflow_id = self.new_id()
        self.stack.world.set_fate(workflow_id, fates or {})
        expected = expect(saga, fates or {}, facts)
        return Sent(saga=saga, planned=Planned(workflow_id=workflow_id, input=None, expected=expected))

    def do(self, work: Callable[[EngineClient], Awaitable[T]], within_s: float = PATIENCE_S) -> T:
        """Run ``await work(client)`` where the engine's client lives, and wait for it."""

        async def run() -> T:
            return await work(self.stack.client)

        return self.thread.call(run, within_s + _ANSWER_S)

    def start(self, one: Sent) -> None:
        """Start a saga."""
        self.do(lambda client: begin(client, one))

    def wait(self, one: Sent) -> None:
        """Wait for the engine's word."""
        self.do(lambda client: finish(client, one))

    def run(self, one: Sent) -> None:
        """Both, in one go."""
        self.do(lambda client: through(client, one))


async def begin(client: EngineClient, one: Sent) -> None:
    """Start a saga."""
    one.began_at, one.began_s = time.time(), time.perf_counter()
    assert await client.start(one.saga, one.workflow_id, one.planned.input), f"{one.workflow_id} exists"
    one.started_s = time.perf_counter()


async def finish(client: EngineClient, one: Sent) -> None:
    """Wait for its outcome."""
    one.outcome = await client.result(one.workflow_id, PATIENCE_S)
    one.ended_s = time.perf_counter()


async def through(client: EngineClient, one: Sent) -> None:
    """Start a saga and wait for its outcome."""
    await begin(client, one)
    await finish(client, one)


async def closed_loop(client: EngineClient, batch: Sequence[Sent], in_flight: int) -> None:
    """So many at a time: whoever gets an outcome starts the next one."""
    waiting = iter(batch)

    async def slot() -> None:
        for one in waiting:
            await through(client, one)

    async with asyncio.TaskGroup() as slots:
        for _ in range(in_flight):
            slots.create_task(slot())


@contextmanager
def running_site(contestant: Contestant, *, faults: bool = False, otlp: str | None = None) -> Iterator[Site]:
    """Bring an engine up with one worker of four slots.

    Args:
        contestant: The engine.
        faults: Whether its sagas may be held at points.
        otlp: Receiver of spans.

    Raises:
        BakeoffError: If it does not come up.
    """
    with contextlib.ExitStack() as cleanup:
        thread = StackThread(
            StackPlan(
                engine=contestant.engine,
                settings=contestant.settings,
                folder=cleanup.enter_context(scratch_folder("bench")) / "stack",
                sagas=SAGAS,
                prefix=f"bakeoff-bench-{uuid.uuid4().hex[:6]}-",
                faults=faults,
                bridge=contestant.bridge,
                otlp=otlp,
            )
        )
        cleanup.callback(thread.stop)
        yield Site(contestant, thread.start(), thread)
