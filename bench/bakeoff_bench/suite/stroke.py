"""One round of ``recovery``: sagas stand, the worker is killed, and only what follows is timed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from bakeoff.nemesis import FaultMissedError, Landing, Need, Target, WorkerKill
from bakeoff.orders.model import Order
from bakeoff.world import Aim
from bakeoff_bench.crash.kill import Kills
from bakeoff_bench.crash.outcome import KillOutcome
from bakeoff_bench.crash.record import Kill
from bakeoff_bench.crash.watch import until_quiet

#: A call that stood at its point for more than this share of its timeout may run into it before it is struck.
_FRESH = 0.5


@dataclass(slots=True)
class Held:
    """``worker-kill`` that waits for its word: everything before it is set-up."""

    name: str = WorkerKill.name
    description: str = WorkerKill.description
    needs: frozenset[Need] = WorkerKill.needs
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def inject(self, target: Target) -> Landing:
        """Say that the sagas stand, wait, kill."""
        stood_s = time.time() - target.at.at
        if stood_s > _FRESH * target.timeout_s():
            raise FaultMissedError(
                f"the call had stood at its point for {stood_s:.1f} s before all was ready"
            )
        self.ready.set()
        await self.go.wait()
        return await WorkerKill().inject(target)

    async def heal(self, target: Target) -> None:
        """Nothing to do: the supervisor starts the worker again."""


class Stroke:
    """One kill in three parts: ``stand``, ``strike`` (the timed one), ``judge``."""

    def __init__(self, kills: Kills, aim: Aim, orders: Sequence[Order]) -> None:
        self._kills = kills
        self._aim = aim
        self._orders = orders
        self._fault = Held()
        self._over = asyncio.Event()
        self._task: asyncio.Task[Kill] | None = None

    async def stand(self) -> Kill | None:
        """Lead the sagas to their points.

        Returns:
            ``None`` when the worker is about to be killed; otherwise why it is not. Then nobody is in flight.
        """
        kill = self._kills.kill(self._fault, self._aim, self._orders, when_over=self._over.set)
        self._task = asyncio.create_task(kill)
        await self._until(self._fault.ready)
        if not self._task.done():
            return None
        if self._task.result().outcome is KillOutcome.VOID:
            await until_quiet(self._kills.stack.world)
        return self._task.result()

    async def strike(self) -> None:
        """Kill, and wait until the ledger shows the end of every saga that was in flight."""
        self._fault.go.set()
        await self._until(self._over)

    async def judge(self) -> Kill:
        """Wait for what may come again, and say what the kill came to."""
        assert self._task is not None
        return await self._task

    async def _until(self, event: asyncio.Event) -> None:
        assert self._task is not None
        waiting = asyncio.create_task(event.wait())
        try:
            await asyncio.wait({self._task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
