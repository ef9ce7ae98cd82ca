"""SIGKILL: of a whole worker, of the one pool child at the point, of a server of the engine."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import dataclass

from bakeoff.nemesis.ends import killed
from bakeoff.nemesis.fault import FaultNotSupportedError, Landing, Need, Target
from bakeoff.processes import kill_session
from bakeoff.servers import RunningServer, restart_server


@dataclass(frozen=True)
class WorkerKill:
    """The worker's machine goes away; the supervisor brings a new worker."""

    name: str = "worker-kill"
    description: str = "SIGKILL of the whole worker: its leader and all of its children"
    needs: frozenset[Need] = frozenset()

    async def inject(self, target: Target) -> Landing:
        """Kill the session that the process at the point belongs to."""
        child = target.worker()
        return await killed(child.members(), lambda: kill_session(child.pid))

    async def heal(self, target: Target) -> None:
        """Nothing to do: the supervisor starts the worker again."""


@dataclass(frozen=True)
class ChildKill:
    """The kernel shoots the pool child that runs the step; the worker itself lives."""

    name: str = "child-kill"
    description: str = "SIGKILL of the one pool child that runs the step"
    needs: frozenset[Need] = frozenset()

    async def inject(self, target: Target) -> Landing:
        """Kill the process at the point alone."""
        pid = target.at.pid
        if pid == target.worker().pid:
            raise FaultNotSupportedError("its worker is a single process: there is no child to kill")
        return await killed((pid,), lambda: os.kill(pid, signal.SIGKILL))

    async def heal(self, target: Target) -> None:
        """Nothing to do: the worker replaces its child, or ends and is started again."""


@dataclass(frozen=True)
class ServerKill:
    """The engine's server or broker crashes and comes back on its own data."""

    name: str = "server-kill"
    description: str = "SIGKILL of the engine's server or broker, which then starts again on its data"
    needs: frozenset[Need] = frozenset()

    async def inject(self, target: Target) -> Landing:
        """Kill the first server of the engine while a process stands at the point."""
        return await kill_server(target.server())

    async def heal(self, target: Target) -> None:
        """Start it again on the same data and ports, and wait for its answer."""
        await restart_server(target.server(), target.stack.launcher)


@dataclass(frozen=True)
class ResultsKill:
    """The result backend of a queue engine crashes while its broker lives."""

    name: str = "results-kill"
    description: str = (
        "SIGKILL of the server that keeps the results, which starts again 3 s later on its data"
    )
    needs: frozenset[Need] = frozenset()
    away_s: float = 3.0

    async def inject(self, target: Target) -> Landing:
        """Kill the server of the role ``results``; where the broker has that part too, there is none."""
        return await kill_server(target.server("results"))

    async def heal(self, target: Target) -> None:
        """Leave workers without it for a while, then start it again on the same data and ports."""
        await asyncio.sleep(self.away_s)
        await restart_server(target.server("results"), target.stack.launcher)


async def kill_server(running: RunningServer) -> Landing:
    """SIGKILL of a server of ours, seen to end."""
    child = running.child
    assert child is not None
    return await killed(child.members(), lambda: kill_session(child.pid))
