"""Strikes whoever handles the poisoned order, each time, from outside."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from bakeoff.errors import ServerStartError
from bakeoff.nemesis import ChildKill, FaultMissedError, FaultNotSupportedError, Target, WorkerKill
from bakeoff.world import Reached, reached, release
from bakeoff_bench.ordeals.site import Site

_POLL_S = 0.02
#: A worker that announced itself a moment ago gets the time to be seen: its end is no failed start.
_SEEN_WITHIN_S = 1.0


@dataclass(slots=True, kw_only=True)
class Executioner:
    """Kills the process that stands at the armed point, ``most`` times; then it lets the order pass.

    Attributes:
        site: Where.
        whole: Kill the whole worker, not only the process that runs the step.
        most: Kills.
        struck_s: Monotonic seconds of every kill that landed.
        processes: How many processes were seen to end of them.
        missed: Strikes that came too late: the process had ended, or its attempt had run into its timeout.
        cured: The order came back once more after the last kill, and passed.
    """

    site: Site
    whole: bool
    most: int
    struck_s: list[float] = field(default_factory=list)
    processes: int = 0
    missed: int = 0
    cured: bool = False

    @property
    def kills(self) -> int:
        """How many landed."""
        return len(self.struck_s)

    @property
    def failure(self) -> ServerStartError | None:
        """Why workers are not started again any more."""
        return self.site.stack.failure

    async def strike(self) -> None:
        """Until the order was let pass, the workers cannot be kept alive, or cancelled."""
        seen, engine = 0, self.site.stack.world.engine
        while not self.cured and self.failure is None:
            for standing in await asyncio.to_thread(reached, engine, after=seen):
                seen = standing.id
                if self.kills < self.most:
                    try:
                        await self._kill(standing)
                    except FaultMissedError:
                        self.missed += 1
                else:
                    release(engine, standing.id)
                    self.cured = True
            await asyncio.sleep(_POLL_S)

    async def _kill(self, standing: Reached) -> None:
        target = Target(self.site.stack, standing)
        workers, deadline = self.site.stack.workers, time.monotonic() + _SEEN_WITHIN_S
        while workers and target.worker() in workers.not_ready() and time.monotonic() < deadline:
            await asyncio.sleep(_POLL_S)
        try:
            landing = await (WorkerKill() if self.whole else ChildKill()).inject(target)
        except FaultNotSupportedError:  # its worker is a single process
            landing = await WorkerKill().inject(target)
        self.struck_s.append(landing.at_s)
        self.processes += len(landing.ended)
