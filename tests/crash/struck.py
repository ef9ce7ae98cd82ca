"""A running engine whose saga stands at a point, for tests that do a fault to it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bakeoff.contract.stack_thread import StackThread
from bakeoff.nemesis import Fault, Landing, Target
from bakeoff.orders import ORDER
from bakeoff.orders.loader import real_orders
from bakeoff.orders.model import Order
from bakeoff.plugins import Plugins
from bakeoff.processes import session_members
from bakeoff.settings import ConfigClass, resolve
from bakeoff.stack import Stack, StackPlan
from bakeoff.world import Aim, Point, Reached, arm, reached, release
from tests.processes.traces import until

AIM = Aim("charge_payment", "action", Point.AFTER_EFFECT)


@dataclass
class Site:
    """One running engine, and orders for it."""

    stack: Stack
    thread: StackThread
    _orders: Iterator[Order] = field(default_factory=lambda: iter(_orders()))

    @asynccontextmanager
    async def struck(self, fault: Fault, healing_s: float = 60.0) -> AsyncIterator[Struck]:
        """Start a saga, catch it at ``AIM``, do the fault and heal; all of it within ``healing_s``."""
        order = next(self._orders)
        at = await self.caught(order)
        target = Target(self.stack, at)
        async with asyncio.timeout(healing_s):
            landing = await fault.inject(target)
            release(self.stack.world.engine, at.id)
            struck = Struck(self, order, target, landing)
            yield struck
            await fault.heal(target)

    async def caught(self, order: Order | None = None) -> Reached:
        """Start the saga of an order and return the process that stands at ``AIM``."""
        order = order or next(self._orders)
        world = self.stack.world
        arm(world.engine, order.workflow_id, AIM)
        await self.stack.client.start(self.stack.sagas["order"], order.workflow_id, order.order_id)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            for one in reached(world.engine):
                if one.workflow_id == order.workflow_id:
                    return one
            await asyncio.sleep(0.01)
        raise AssertionError(f"{order.workflow_id} did not reach its point")

    def do(self, fault: Fault, within_s: float = 60.0) -> Struck:
        """Do a fault and heal it."""

        async def work() -> Struck:
            async with self.struck(fault, within_s) as struck:
                pass
            return struck

        return self.thread.call(work, within_s + 30)

    def stopped(self) -> list[str]:
        """Processes of workers and servers that are paused."""
        workers = self.stack.workers.children if self.stack.workers else []
        leaders = [child.pid for child in workers]
        leaders += [one.child.pid for one in self.stack.servers if one.child is not None]
        return [
            f"{process.pid} {process.name()}"
            for leader in leaders
            for process in session_members(leader)
            if process.status() == psutil.STATUS_STOPPED
        ]


@dataclass
class Struck:
    """A saga to which a fault was done."""

    site: Site
    order: Order
    target: Target
    landing: Landing

    def completes(self, within_s: float = 40.0) -> None:
        """Wait until the ledger shows all four effects, each of them once."""
        until(lambda: len(self._effects()) >= 4, f"{self.order.workflow_id} is complete", within_s)

        assert sorted(self._effects()) == sorted(step.name for step in ORDER.steps())

    def _effects(self) -> list[str]:
        records = self.site.stack.world.ledger(workflow_id=self.order.workflow_id)
        return [one.step for one in records if one.kind == "effect"]

    def attempts(self) -> list[int]:
        """Process ids of the attempts of the call that was struck."""
        return [
            one.pid
            for one in self.site.stack.world.ledger(workflow_id=self.order.workflow_id)
            if one.kind == "attempt" and one.call == (AIM.step, AIM.direction)
        ]


def _orders() -> list[Order]:
    return [order for order in real_orders(200).orders if not order.cancelled]


@contextmanager
def site(
    folder: Path,
    engine: str,
    *,
    workers: int = 1,
    ledger: str = "sqlite",
    proxied: bool = False,
    config: ConfigClass = ConfigClass.CI,
    **overrides: str,
) -> Iterator[Site]:
    """Bring an engine up whose points can be armed."""
    found = Plugins().engine(engine)
    plan = StackPlan(
        engine=found,
        settings=resolve(engine, found.info().settings, config, overrides),
        folder=folder,
        workers=workers,
        ledger=ledger,
        faults=True,
        proxied=proxied,
    )
    thread = StackThread(plan)
    stack = thread.start()
    try:
        orders = _orders()
        stack.world.add_orders(orders)
        demand: dict[str, int] = {}
        for order in orders:
            for sku, units in order.units().items():
                demand[sku] = demand.get(sku, 0) + units
        stack.world.set_stock(demand)
        yield Site(stack, thread)
    finally:
        stack.launcher.hurry()  # nobody comes back to these servers
        thread.stop()
