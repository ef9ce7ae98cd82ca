"""The fault itself: sagas are led to their places, and then somebody is struck."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bakeoff.checkers import Planned
from bakeoff.nemesis import Fault, FaultNotSupportedError, Landing, Target, WorkerKill
from bakeoff.world import Aim, Reached
from bakeoff_bench.crash.points import Moment
from bakeoff_bench.crash.road import Road
from bakeoff_bench.crash.scene import Scene
from bakeoff_bench.crash.starter import kill_starter, start_again, start_by, starter

#: Seconds within which a fault lands that is done at once.
_AT_ONCE_S = 1.0
#: When in a start its process is killed: shares of what a start takes, one after the other; the last one
#: comes when the engine has the saga and nobody was told.
_SHARES = (0.25, 0.5, 0.75, 2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Struck:
    """What was done to whom; ``first_s`` is when it began, in monotonic seconds."""

    landing: Landing
    first_s: float
    at: Reached
    in_flight: int
    healing: asyncio.Task[None]


@dataclass(slots=True, kw_only=True)
class Striker:
    """Strikes on one running engine, one kill after the other."""

    scene: Scene
    _shares: Iterator[float] = field(default_factory=lambda: itertools.cycle(_SHARES))

    async def strike(self, fault: Fault, road: Road, planned: Sequence[Planned]) -> Struck:
        """Lead the first saga to its point and the others to theirs, and strike.

        Raises:
            FaultMissedError: If they did not get there, or the fault did not land.
            FaultNotSupportedError: If this fault cannot be done there.
        """
        if road.aim.point == Moment.DURING_START:
            return await self._starter(fault, road.aim, planned)
        return await self._process(fault, road, planned)

    async def _process(self, fault: Fault, road: Road, planned: Sequence[Planned]) -> Struck:
        scene = self.scene
        at = await scene.lead(road, planned[0], planned[1:])
        in_flight = scene.check_in_flight(others=planned[0].workflow_id not in scene.standing)
        target = Target(scene.stack, at, scene.saga)
        began_s = time.monotonic()
        landing = await fault.inject(target)
        # Those that live go on before a server is back: a step held for longer would run into its timeout.
        scene.release_all()
        healing = asyncio.create_task(fault.heal(target))
        # One that takes its time, as two kills do, came with the first of them.
        first_s = landing.at_s if landing.at_s < began_s + _AT_ONCE_S else began_s
        return Struck(landing=landing, first_s=first_s, at=at, in_flight=in_flight, healing=healing)

    async def _starter(self, fault: Fault, aim: Aim, planned: Sequence[Planned]) -> Struck:
        if not isinstance(fault, WorkerKill):
            raise FaultNotSupportedError("a starter is a single process that is killed: use worker-kill")
        scene, (struck, *beside) = self.scene, planned
        stack, saga, history = scene.stack, scene.saga, scene.history
        async with starter(stack) as (child, client):
            took_s = [await start_by(client, history, saga, one) for one in beside]
            await scene.until_standing({one.workflow_id for one in beside})
            in_flight = scene.check_in_flight(others=1)
            after_s = next(self._shares) * min(took_s)
            landing = await kill_starter(child, client, history, saga, struck, after_s)
            at = Reached(0, struck.workflow_id, aim, child.pid, time.time())
        scene.release_all()
        repeated = asyncio.create_task(start_again(stack, history, saga, struck))
        return Struck(landing=landing, first_s=landing.at_s, at=at, in_flight=in_flight, healing=repeated)
