"""A schedule of a test: made, watched in the ledger, removed whatever happens; and what keeps it, killed."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from bakeoff.contract.lab import Fates, Lab, Started
from bakeoff.contract.statuses import NotSupported
from bakeoff.engine import EngineClient, Schedules, Survives
from bakeoff.errors import UnknownNameError
from bakeoff.processes import kill_session
from bakeoff.saga import Saga
from bakeoff.schedules import Schedule

#: Making and removing a schedule may start a process anew, on a busy machine.
_CHANGED_WITHIN_S = 70.0
#: Sagas that suffer something: as many as begin until a schedule is made on a busy machine, and in the test.
_FATED = 60


@dataclass(slots=True)
class Scheduled:
    """A schedule in force.

    Attributes:
        made_at: Unix seconds when it was asked for.
        ledger_end: Of the ledger before that.
    """

    lab: Lab
    saga: Saga
    schedule: Schedule
    made_at: float
    ledger_end: int

    def begun(self) -> list[str]:
        """Ids of its sagas that have acted, in the order of their periods."""
        records = self.lab.stack.world.ledger(after=self.ledger_end)
        return sorted({r.workflow_id for r in records if r.workflow_id.startswith(f"{self.schedule.id}-")})

    def until_begun(self, count: int) -> list[str]:
        """Wait until so many sagas have acted; each of them may take a period to come."""
        within_s = self.lab.patience_s + count * self._every_s

        def enough() -> list[str] | None:
            begun = self.begun()
            return begun if len(begun) >= count else None

        return self.lab.until(f"{count} sagas of {self.schedule.id}", enough, within_s)

    def ids(self, first: float, count: int) -> list[str]:
        """Ids of so many periods from the one in which the moment ``first`` lies."""
        return [self.schedule.saga_id(first + number * self._every_s) for number in range(count)]

    def first_possible(self) -> float:
        """Begin of the first period of which a saga may be started, in Unix seconds."""
        return self.schedule.next_period(self.made_at)

    def saga_of(self, workflow_id: str) -> Started:
        """The saga of a period, to be asked like any other."""
        started = Started(self.lab, self.saga, workflow_id, workflow_id)
        self.lab.started.append(started)
        return started

    def remove(self) -> None:
        """Remove the schedule."""
        unschedule(self.lab, self.schedule.id)

    @property
    def _every_s(self) -> float:
        return self.schedule.every.total_seconds()


@contextmanager
def scheduled(lab: Lab, saga: Saga, every_s: float, *, fates: Fates | None = None) -> Iterator[Scheduled]:
    """Make a schedule and remove it at the end; its first sagas suffer ``fates``."""
    schedule = Schedule(id=lab.new_id(), saga=saga.name, every=timedelta(seconds=every_s))
    one = Scheduled(lab, saga, schedule, time.time(), lab.stack.world.ledger_end())
    for workflow_id in one.ids(one.made_at, _FATED) if fates else ():
        lab.stack.world.set_fate(workflow_id, fates or {})
    try:
        make(lab, saga, schedule.id, every_s)
        yield one
    finally:
        with contextlib.suppress(UnknownNameError):
            one.remove()


def make(lab: Lab, saga: Saga, schedule_id: str, every_s: float) -> None:
    """Ask the engine for a schedule."""

    async def ask(client: EngineClient) -> None:
        await _able(client).schedule(saga, schedule_id, timedelta(seconds=every_s))

    lab.ask(ask, _CHANGED_WITHIN_S)


def unschedule(lab: Lab, schedule_id: str) -> None:
    """Ask the engine to remove one."""

    async def ask(client: EngineClient) -> None:
        await _able(client).unschedule(schedule_id)

    lab.ask(ask, _CHANGED_WITHIN_S)


def listed(lab: Lab) -> Sequence[Schedule]:
    """Ask the engine which schedules there are."""

    async def ask(client: EngineClient) -> Sequence[Schedule]:
        return await _able(client).schedules()

    return lab.ask(ask)


def kill_scheduler(lab: Lab, away_s: float = 0.0) -> None:
    """SIGKILL what keeps the schedules: the engine's scheduler process, else its first server; bring it back.

    Raises:
        NotSupported: If that is a server which does not survive it.
    """
    scheduler = lab.stack.scheduler
    if scheduler is None:
        if not {Survives.BROKER_RESTART, Survives.BROKER_KILL} & lab.stack.info.survives:
            raise NotSupported("its schedules are kept by a server that it does not declare to survive")
        lab.kill_broker(away_s)
        return
    processes, world = scheduler.processes, lab.stack.world
    seen = len(world.workers("scheduler"))
    processes.held = True
    try:
        for child in list(processes.children):
            kill_session(child.pid)
        time.sleep(away_s)  # nothing happens meanwhile that could be waited for
    finally:
        processes.held = False
    lab.until("the scheduler is back", lambda: len(world.workers("scheduler")) > seen, _CHANGED_WITHIN_S)


def _able(client: EngineClient) -> Schedules:
    assert isinstance(client, Schedules), "the capability is declared, but the client has no schedules"
    return client
