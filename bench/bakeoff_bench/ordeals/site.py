"""One engine brought up so that its workers, its client and its servers can be taken down and up again."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bakeoff.bridge.bridges import IN_PROCESS
from bakeoff.bridge.commands import services_in
from bakeoff.bridge.staff import service_launch, service_workers, started
from bakeoff.checkers import Planned
from bakeoff.deployment import Deployment
from bakeoff.history import History
from bakeoff.orders.model import Order
from bakeoff.patience import connected, disconnect
from bakeoff.processes import Launcher, Workers, is_gone
from bakeoff.registry import load_sagas
from bakeoff.saga import Saga
from bakeoff.servers import restart_server
from bakeoff.stack import Stack, StackPlan, running_backend, workers_of
from bakeoff.world import World
from bakeoff_bench.ordeals.follow import Follower
from bakeoff_bench.ordeals.ordeal import Setup
from bakeoff_bench.ordeals.orders import DECLINED, refused, stock_for

HISTORY_FILE = "history.jsonl"
#: Seconds between SIGTERM and SIGKILL for a server that is to come back on its data.
_SERVER_GRACE_S = 20.0
_READY_WITHIN_S = 60.0
_TELL_EVERY_S = 3.0


@dataclass(frozen=True, slots=True)
class Restart:
    """What a restart of everything took.

    Attributes:
        down_s: Seconds until the last process had ended.
        up_s: Seconds from then to a ready worker and client.
        processes, ended: How many processes ran before, and how many of them were seen to have ended.
    """

    down_s: float
    up_s: float
    processes: int
    ended: int


@dataclass(slots=True, kw_only=True)
class Site:
    """A running engine with the ordeal's orders, history and ledger follower.

    Attributes:
        setup: What was asked for.
        stack: Its parts; ``client`` changes when everything is restarted.
        history, history_file: Of the client.
        follower: Of the ledger.
        stock: ``{stock code: units}`` put on the shelves.
        planned: ``{workflow id: plan}`` of every saga that was to be started.
    """

    setup: Setup
    stack: Stack
    history: History
    history_file: Path
    follower: Follower
    stock: dict[str, int] = field(default_factory=dict)
    planned: dict[str, Planned] = field(default_factory=dict)
    _connected: bool = True

    def saga(self, name: str) -> Saga:
        """One of the sagas that the workers know."""
        return self.stack.sagas[name]

    def add_orders(self, orders: list[Order]) -> None:
        """Make them known to the services, with stock for all; once, before anything is started."""
        self.stack.world.add_orders(orders)
        self.stock = stock_for(orders)
        self.stack.world.set_stock(self.stock)

    def decline_some(self, orders: list[Order]) -> None:
        """Have every tenth of them declined at its payment, as ``plan_orders`` has it."""
        for number, order in enumerate(orders):
            if refused(number):
                self.stack.world.set_fate(order.workflow_id, DECLINED)

    async def start_workers(self) -> None:
        """One worker process, ready to take work; nothing for an in-process engine."""
        if self.stack.workers is not None:
            await self.stack.workers.start(1, _READY_WITHIN_S)

    async def stop_workers(self) -> None:
        """In order: SIGTERM, and time to put things right."""
        if self.stack.workers is not None:
            await self.stack.workers.stop()

    async def _stop_services(self) -> None:
        """The same for those behind a bridge; without one there are none."""
        await asyncio.gather(*(group.stop() for group in self.stack.services.values()))

    async def restart_everything(self) -> Restart:
        """Take workers, client, services and servers down in order, then bring them up on the same data."""
        stack, began_s = self.stack, time.monotonic()
        children = [child for group in stack.groups for child in group.children]
        children += [server.child for server in stack.servers if server.child is not None]
        pids = [pid for child in children for pid in child.members()]
        await self.stop_workers()
        await self._disconnect()
        await self._stop_services()
        for server in reversed(stack.servers):
            if server.child is not None:
                await asyncio.to_thread(stack.launcher.stop, server.child, _SERVER_GRACE_S)
        ended = sum(map(is_gone, pids))
        down_s = time.monotonic()
        for server in stack.servers:
            await restart_server(server, stack.launcher)
        await started(stack.services.values())
        await self.start_workers()
        await self._connect()
        return Restart(down_s - began_s, time.monotonic() - down_s, len(pids), ended)

    async def deploy(self, sagas: tuple[str, ...]) -> None:
        """Replace worker, services and client by new ones that know these sagas; the servers stay."""
        stack = self.stack
        await self.stop_workers()
        await self._disconnect()
        await self._stop_services()
        stack.deployment = replace(stack.deployment, sagas=sagas)
        stack.deployment.save(stack.deployment_file)
        stack.sagas = load_sagas(sagas)
        stack.services = staff_of(stack.deployment, stack.deployment_file, stack.launcher, stack.world)
        await started(stack.services.values())
        await self.start_workers()
        await self._connect()

    async def close(self) -> None:
        """What workers would put in order goes with the folder."""
        self.stack.launcher.hurry()
        await self.stop_workers()
        await self._disconnect()
        await self._stop_services()

    async def _connect(self) -> None:
        self.stack.client = await connected(self.stack.engine, self.stack.deployment)
        self._connected = True

    async def _disconnect(self) -> None:
        if self._connected:
            self._connected = False
            await disconnect(self.stack.engine, self.stack.client)


def staff_of(deployment: Deployment, file: Path, launcher: Launcher, world: World) -> Mapping[str, Workers]:
    """``{service: its processes}`` of what a deployment loads now; none is started yet."""
    if deployment.bridge == IN_PROCESS:
        return {}
    return {
        name: service_workers(launcher, f"service-{name}", service_launch(file, name), world)
        for name in sorted(services_in(deployment.sagas))
    }


@asynccontextmanager
async def open_site(
    setup: Setup, *, sagas: tuple[str, ...] = ("bakeoff.orders",), faults: bool = False, slots: int = 4
) -> AsyncIterator[Site]:
    """Bring servers, world and client up; workers are started by ``Site.start_workers``.

    Raises:
        UsageError, ServerStartError: If they do not come up; nothing is left behind.
    """
    plan = StackPlan(
        engine=setup.chosen.engine,
        settings=setup.chosen.settings,
        folder=setup.folder,
        sagas=sagas,
        slots=slots,
        faults=faults,
        bridge=setup.bridge,
    )
    async with running_backend(plan) as backend, AsyncExitStack() as cleanup:
        workers = None
        if not backend.info.in_process:
            workers = workers_of(backend.launcher, backend.engine, backend.deployment_file, backend.world)
        file = setup.folder / HISTORY_FILE
        site = Site(
            setup=setup,
            stack=Stack(
                engine=backend.engine,
                info=backend.info,
                deployment=backend.deployment,
                deployment_file=backend.deployment_file,
                servers=backend.servers,
                world=backend.world,
                launcher=backend.launcher,
                services=backend.services,
                workers=workers,
                client=await connected(plan.engine, backend.deployment),
                sagas=load_sagas(sagas),
            ),
            history=cleanup.enter_context(History(file)),
            history_file=file,
            follower=Follower(backend.world),
        )
        cleanup.push_async_callback(site.close)
        async with beside(site.follower.follow()):
            yield site


@asynccontextmanager
async def beside(work: Coroutine[Any, Any, Any]) -> AsyncIterator[asyncio.Task[Any]]:
    """Let something run beside a block; what it raises ends the block's result, its cancellation does not."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        failed = task.done()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait([task])
        if failed and not task.cancelled():
            task.result()


@asynccontextmanager
async def telling(setup: Setup, text: Callable[[], str]) -> AsyncIterator[None]:
    """A line of progress every few seconds while a block runs."""

    async def tell() -> None:
        while True:
            await asyncio.sleep(_TELL_EVERY_S)
            setup.tell(text())

    async with beside(tell()):
        yield
