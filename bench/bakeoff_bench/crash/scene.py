"""Sagas on their way to a kill: one that is led to the point, others that stand beside it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from bakeoff.checkers import Planned
from bakeoff.history import History
from bakeoff.nemesis import FaultMissedError
from bakeoff.orders.model import Order
from bakeoff.patience import in_time
from bakeoff.saga import Saga, Sleep
from bakeoff.stack import Stack
from bakeoff.world import Aim, Point, Reached, arm, reached, release
from bakeoff_bench.crash.moments import until_moment
from bakeoff_bench.crash.points import Moment
from bakeoff_bench.crash.road import Road, plan_saga

#: So many sagas must be in flight when a fault lands, or it tells nothing of what it does to others.
FEWEST_IN_FLIGHT = 2
_REACHED_WITHIN_S = 30.0
_POLL_S = 0.01


@dataclass(slots=True, kw_only=True)
class Scene:
    """Sets up one kill after the other on one running engine.

    Attributes:
        stack, saga, history: As in ``Kills``.
        standing: ``{workflow id: where its process stands}`` of the kill that is set up.
    """

    stack: Stack
    saga: Saga
    history: History
    standing: dict[str, Reached] = field(default_factory=dict)
    _seen: int = 0

    def prepare(self, order: Order, road: Road | None) -> Planned:
        """Write fates and points of one saga down; ``road=None`` for one that is to stand beside."""
        engine, workflow_id = self.stack.world.engine, order.workflow_id
        self.stack.world.set_fate(workflow_id, road.fates if road else {})
        if road is None:
            first = next(step for step in self.saga.steps() if step.recorded)
            arm(engine, workflow_id, Aim(first.name, "action", Point.BEFORE_EFFECT))
        else:
            for aim in (road.stage, None if road.aim.point in tuple(Moment) else road.aim):
                if aim is not None:
                    arm(engine, workflow_id, aim)
        return plan_saga(self.saga, order, road, bridged=bool(self.stack.services))

    async def start(self, planned: Planned) -> None:
        """Start one saga by the harness's own client."""
        with self.history.operation("start", planned.workflow_id) as answer:
            async with in_time("start()"):
                answer.value = await self.stack.client.start(self.saga, planned.workflow_id, planned.input)

    async def lead(self, road: Road, struck: Planned, beside: Sequence[Planned]) -> Reached:
        """Bring everybody to their places.

        The saga that will be struck comes first, because the others need one step and it may need many;
        where it cannot stay at its point it stops right before it until they are there.

        Returns:
            The process at the point, or the one that acted last where nobody stands.

        Raises:
            FaultMissedError: If the point was not reached, or too few sagas are in flight.
        """
        passing = road.stage is None and _passes(self.saga, road.aim)
        if passing:
            await self.gather(beside)
        await self.start(struck)
        at = await self._arrival(road.stage or road.aim, struck)
        if not passing:
            await self.gather(beside)
        if road.stage is not None:
            del self.standing[struck.workflow_id]
            release(self.stack.world.engine, at.id)
            at = await self._arrival(road.aim, struck)
        return at

    async def gather(self, beside: Sequence[Planned]) -> None:
        """Start the sagas that stand beside, and wait until they do."""
        for one in beside:
            await self.start(one)
        await self.until_standing({one.workflow_id for one in beside})

    def check_in_flight(self, others: int = 0) -> int:
        """Return how many sagas are in flight: those that stand, and ``others``.

        Raises:
            FaultMissedError: If they are too few.
        """
        found = len(self.standing) + others
        if found < FEWEST_IN_FLIGHT:
            raise FaultMissedError(f"only {found} of at least {FEWEST_IN_FLIGHT} sagas were in flight")
        return found

    def release_all(self) -> None:
        """Let everybody go on."""
        for process in self.standing.values():
            release(self.stack.world.engine, process.id)

    async def _arrival(self, aim: Aim, struck: Planned) -> Reached:
        if aim.point in tuple(Moment):
            world, workflow_id = self.stack.world, struck.workflow_id
            at = await until_moment(world, self.saga, workflow_id, aim, _REACHED_WITHIN_S)
        else:
            await self.until_standing({struck.workflow_id})
            at = self.standing.get(struck.workflow_id)
        if at is not None and at.pid == 0 and self.stack.workers is not None:
            at = replace(at, pid=self.stack.workers.children[0].pid)  # it waits without having acted before
        if at is None:
            raise FaultMissedError(f"the point was not reached within {_REACHED_WITHIN_S:.0f} s")
        return at

    async def until_standing(self, wanted: Collection[str]) -> None:
        """Wait until the processes of these sagas stand at a point, or patience ends."""
        deadline = time.monotonic() + _REACHED_WITHIN_S
        while not self.standing.keys() >= set(wanted) and time.monotonic() < deadline:
            for one in await asyncio.to_thread(reached, self.stack.world.engine, after=self._seen):
                self._seen = one.id
                if one.workflow_id in wanted:
                    self.standing[one.workflow_id] = one
            await asyncio.sleep(_POLL_S)


def _passes(saga: Saga, aim: Aim) -> bool:
    """Whether a saga does not stay at its point until somebody comes: it sleeps, without a step before it."""
    if aim.point != Moment.WHILE_WAITING:
        return False
    return isinstance(saga.elements[saga.index_of(aim.step)], Sleep)
