"""SIGKILL: of a whole worker, of the one pool child at the point, of the engine's server or broker."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from bakeoff.nemesis.fault import FaultMissedError, FaultNotSupportedError, Landing, Need, Target
from bakeoff.processes import is_gone, kill_session
from bakeoff.servers import restart_server

#: Seconds within which a killed process must be seen to end.
_ENDS_WITHIN_S = 5.0


@dataclass(frozen=True)
class WorkerKill:
    """The worker's machine goes away; the supervisor brings a new worker."""

    name: str = "worker-kill"
    description: str = "SIGKILL of the whole worker: its leader and all of its children"
    needs: frozenset[Need] = frozenset()

    async def inject(self, target: Target) -> Landing:
        """Kill the session that the process at the point belongs to."""
        child = target.worker()
        return await _landed(child.members(), lambda: kill_session(child.pid))

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
        return await _landed((pid,), lambda: os.kill(pid, signal.SIGKILL))

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
        server = target.stack.servers[0]
        if server.child is None:
            raise FaultNotSupportedError("a server that we did not start is not killed")
        child = server.child
        return await _landed(child.members(), lambda: kill_session(child.pid))

    async def heal(self, target: Target) -> None:
        """Start it again on the same data and ports, and wait for its answer."""
        await restart_server(target.stack.servers[0], target.stack.launcher)


async def _landed(aimed: tuple[int, ...], act: Callable[[], None]) -> Landing:
    at_s = time.monotonic()
    await asyncio.to_thread(act)
    while not all(map(is_gone, aimed)):
        if time.monotonic() > at_s + _ENDS_WITHIN_S:
            raise FaultMissedError(f"processes {[pid for pid in aimed if not is_gone(pid)]} still run")
        await asyncio.sleep(0.005)
    return Landing(aimed, at_s)
