"""Saboteurs of what is started by schedule, around the in-process engine, which has no scheduler itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from bakeoff.errors import ScheduleRefusedError, UnknownNameError
from bakeoff.saga import Saga
from bakeoff.schedules import Schedule
from tests.saboteurs.around_inline import CheatingClient


class StartsByTheClock(CheatingClient):
    """Breaks nothing: an asyncio task per schedule. The others are made of it."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._clocks: dict[str, tuple[Schedule, asyncio.Task[None]]] = {}

    async def schedule(self, saga: Saga, schedule_id: str, every: timedelta) -> None:
        if schedule_id in self._clocks:
            raise ScheduleRefusedError(f"there is a schedule {schedule_id} already")
        schedule = Schedule(id=schedule_id, saga=saga.name, every=every)
        self._clocks[schedule_id] = schedule, asyncio.create_task(self._run(saga, schedule))

    async def unschedule(self, schedule_id: str) -> None:
        if schedule_id not in self._clocks:
            raise UnknownNameError(f"there is no schedule {schedule_id!r}")
        self._clocks.pop(schedule_id)[1].cancel()

    async def schedules(self) -> Sequence[Schedule]:
        return [schedule for schedule, _ in self._clocks.values()]

    async def _run(self, saga: Saga, schedule: Schedule) -> None:
        while True:
            due = schedule.next_period(time.time())
            await asyncio.sleep(due - time.time())
            await self._begin(saga, schedule, due)

    async def _begin(self, saga: Saga, schedule: Schedule, due: float) -> None:
        workflow_id = schedule.saga_id(due)
        await self.start(saga, workflow_id, workflow_id)

    async def close(self) -> None:
        for _, clock in self._clocks.values():
            clock.cancel()
        await super().close()


class StartsEveryOtherPeriod(StartsByTheClock):
    async def _begin(self, saga: Saga, schedule: Schedule, due: float) -> None:
        if due // schedule.every.total_seconds() % 2:
            await super()._begin(saga, schedule, due)


class WaitsForTheLastPeriod(StartsByTheClock):
    """One saga of a schedule at a time."""

    async def _begin(self, saga: Saga, schedule: Schedule, due: float) -> None:
        mine = [task for name, task in self._tasks.items() if name.startswith(f"{schedule.id}-")]
        if mine:
            await asyncio.wait(mine)
        await super()._begin(saga, schedule, due)


class GoesOnWithoutASchedule(StartsByTheClock):
    """It has left the list, and its clock goes on."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._wound_up: list[asyncio.Task[None]] = []

    async def unschedule(self, schedule_id: str) -> None:
        if schedule_id not in self._clocks:
            raise UnknownNameError(f"there is no schedule {schedule_id!r}")
        self._wound_up.append(self._clocks.pop(schedule_id)[1])

    async def close(self) -> None:
        for clock in self._wound_up:
            clock.cancel()
        await super().close()


class ReplacesSchedules(StartsByTheClock):
    async def schedule(self, saga: Saga, schedule_id: str, every: timedelta) -> None:
        if schedule_id in self._clocks:
            await self.unschedule(schedule_id)
        await super().schedule(saga, schedule_id, every)


class ListsNoSchedules(StartsByTheClock):
    async def schedules(self) -> Sequence[Schedule]:
        return []
