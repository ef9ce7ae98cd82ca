"""The schedules of a deployment in a file, for an engine whose scheduler reads them when it starts.

Clients write what is wanted; whoever runs the scheduler (``bakeoff.scheduler``) writes what is in force.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bakeoff.deployment import Deployment
from bakeoff.errors import ScheduleRefusedError, ServerAwayError, UnknownNameError, UsageError
from bakeoff.schedules import Schedule

_WANTED, _IN_FORCE, _LOCK = "schedules.json", "schedules-in-force.json", "schedules.lock"
#: Seconds that a scheduler may take to end and to start again on a busy machine.
_PATIENCE_S = 60.0
_POLL_S = 0.05

Timed = dict[str, Schedule]


class Timetable:
    """``{id: schedule}``, twice: wanted, and in force.

    Raises:
        UsageError: In a process that cannot know the deployment's folder.
    """

    def __init__(self, deployment: Deployment) -> None:
        if not deployment.folder or not Path(deployment.folder).is_dir():
            raise UsageError("schedules are kept on the machine of `bakeoff up`; ask for them there")
        self._engine = deployment.engine
        self._folder = Path(deployment.folder)

    def wanted(self) -> Timed:
        """What clients want."""
        return _read(self._folder / _WANTED)

    def in_force(self) -> Timed:
        """What the scheduler started with."""
        return _read(self._folder / _IN_FORCE)

    def listed(self) -> list[Schedule]:
        """What is in force, by id."""
        return sorted(self.in_force().values(), key=lambda schedule: schedule.id)

    def put_in_force(self, schedules: Timed) -> None:
        """Tell the clients what the scheduler started with."""
        _write(self._folder / _IN_FORCE, schedules)

    async def add(self, schedule: Schedule) -> None:
        """Want one more, and wait until it is in force.

        Raises:
            ScheduleRefusedError: If there is one of this id.
            ServerAwayError: If the scheduler has not taken it in time.
        """
        with self._changing() as schedules:
            if schedule.id in schedules:
                raise ScheduleRefusedError(f"there is a schedule {schedule.id} already")
            schedules[schedule.id] = schedule
        await self._until(lambda: self.in_force().get(schedule.id) == schedule)

    async def remove(self, schedule_id: str) -> None:
        """Want one less, and wait until it is not in force any more.

        Raises:
            UnknownNameError: If there is none of this id.
            ServerAwayError: If the scheduler has not heard of it in time.
        """
        with self._changing() as schedules:
            if schedules.pop(schedule_id, None) is None:
                listed = ", ".join(sorted(schedules)) or "none"
                raise UnknownNameError(f"there is no schedule {schedule_id!r}; there are: {listed}")
        await self._until(lambda: schedule_id not in self.in_force())

    @contextmanager
    def _changing(self) -> Iterator[Timed]:
        """One client after the other; nothing is written where the change is refused."""
        with (self._folder / _LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            schedules = self.wanted()
            yield schedules
            _write(self._folder / _WANTED, schedules)

    async def _until(self, taken: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while not taken():
            if time.monotonic() > deadline:
                raise ServerAwayError(
                    f"the change is written down, but the scheduler of {self._engine} has not taken it "
                    f"within {_PATIENCE_S:.0f} s; look at its log"
                )
            await asyncio.sleep(_POLL_S)


def _read(file: Path) -> Timed:
    try:
        found = json.loads(file.read_text())
    except FileNotFoundError:
        return {}
    return {one["id"]: Schedule.from_json(one) for one in found}


def _write(file: Path, schedules: Timed) -> None:
    """Whole or not at all, whenever somebody reads it."""
    unfinished = file.with_suffix(".new")
    unfinished.write_text(json.dumps([one.to_json() for one in schedules.values()], indent=2))
    unfinished.replace(file)
