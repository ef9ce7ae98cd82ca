"""Runs an engine's scheduler process: while there are schedules, and anew when they change.

So would an operator: the configuration is written, then the process is started again. An engine whose
schedules are kept by its server has no such process.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bakeoff.deployment import DEPLOYMENT_VARIABLE, Deployment
from bakeoff.engine import HasScheduler, OrchestrationEngine, Schedules
from bakeoff.errors import ServerStartError
from bakeoff.patience import connected, disconnect
from bakeoff.processes import Launch, Launcher, Workers
from bakeoff.timetable import Timetable
from bakeoff.world import World

_POLL_S = 0.1
#: Seconds for the second try.
_READY_WITHIN_S = 60.0


class Scheduler:
    """The process and the timetable that it runs by.

    Attributes:
        processes: One while there are schedules, none otherwise; supervised like workers.
    """

    def __init__(self, processes: Workers, timetable: Timetable) -> None:
        self.processes = processes
        self._timetable = timetable
        self._failure: ServerStartError | None = None

    @property
    def failure(self) -> ServerStartError | None:
        """Why no saga will be started any more."""
        return self._failure or self.processes.failure

    async def keep(self) -> None:
        """Follow the timetable until this is cancelled, or the process does not come up."""
        while True:
            try:
                await self._follow()
            except ServerStartError as error:
                self._failure = error
                return
            except OSError as error:  # of the timetable's files
                self._failure = ServerStartError(f"the scheduler cannot go on: {error}")
                return
            await asyncio.sleep(_POLL_S)

    async def _follow(self) -> None:
        wanted = self._timetable.wanted()
        if wanted == self._timetable.in_force():
            return
        await self.processes.stop()
        if wanted:
            await self._start()
        self._timetable.put_in_force(wanted)

    async def _start(self) -> None:
        """Once more if it was not ready in time: a busy machine is no reason to start no saga ever again."""
        try:
            await self.processes.start(1)
        except ServerStartError:
            await self.processes.stop()
            await self.processes.start(1, _READY_WITHIN_S)


async def forget_schedules(engine: OrchestrationEngine, deployment: Deployment) -> None:
    """Remove what a server that is not ours would go on with when nobody is left to run its sagas."""
    if isinstance(engine, HasScheduler):
        return  # its schedules end with its process
    client = await connected(engine, deployment)
    try:
        if isinstance(client, Schedules):
            for one in await client.schedules():
                await client.unschedule(one.id)
    finally:
        await disconnect(engine, client)


@asynccontextmanager
async def running_scheduler(
    engine: OrchestrationEngine, deployment: Deployment, file: Path, launcher: Launcher, world: World
) -> AsyncIterator[Scheduler | None]:
    """Keep the scheduler of the deployment in ``file``; ``None`` for an engine without such a process."""
    if not isinstance(engine, HasScheduler):
        yield None
        return
    host = socket.gethostname()
    argv = engine.scheduler_command(deployment)
    processes = Workers(
        launcher,
        "scheduler",
        Launch(argv=argv, env={DEPLOYMENT_VARIABLE: str(file)}, stop_within_s=10),
        lambda: [seen.pid for seen in world.workers("scheduler") if seen.host == host],
    )
    scheduler = Scheduler(processes, Timetable(deployment))
    keeping = asyncio.create_task(scheduler.keep())
    try:
        yield scheduler
    finally:
        keeping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeping
        await processes.stop()
