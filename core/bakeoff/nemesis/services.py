"""What happens to services behind a bridge, and to the bridge."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from bakeoff.nemesis.ends import killed
from bakeoff.nemesis.fault import FaultMissedError, FaultNotSupportedError, Landing, Need, Target
from bakeoff.nemesis.kills import kill_server
from bakeoff.nemesis.pauses import stopped
from bakeoff.processes import Child, kill_session, resume_session
from bakeoff.servers import restart_server

#: Seconds.
_LONGEST_S = 60.0


@dataclass(frozen=True)
class ServiceKill:
    """A service dies: in the middle of a command, or before it is asked."""

    name: str = "service-kill"
    description: str = "SIGKILL of the service whose command the step is; it is started again at once"
    needs: frozenset[Need] = frozenset()

    async def inject(self, target: Target) -> Landing:
        """Kill the process at the point if it is a service's, and the step's service otherwise."""
        child = target.service_at() or next(iter(target.service().children), None)
        if child is None:
            raise FaultMissedError("the service had ended already")
        return await killed(child.members(), lambda: kill_session(child.pid))

    async def heal(self, target: Target) -> None:
        """Nothing to do: the supervisor starts it again."""


@dataclass(frozen=True)
class ServiceAway:
    """Nobody serves the command for a while: every try finds out at once.

    Attributes:
        seconds: How long.
    """

    name: str = "service-away"
    description: str = "SIGKILL of the service whose command the step is; nobody serves it for 3 s"
    needs: frozenset[Need] = frozenset()
    seconds: float = 3.0

    async def inject(self, target: Target) -> Landing:
        """Kill all processes of the service, and keep the supervisor from starting them."""
        group = target.service()
        group.held = True
        try:
            members = [pid for child in group.children for pid in child.members()]
            children = list(group.children)
            return await killed(members, lambda: _kill(children))
        except BaseException:
            group.held = False
            raise

    async def heal(self, target: Target) -> None:
        """Let them be started when the time is over."""
        try:
            await asyncio.sleep(self.seconds)
        finally:
            target.service().held = False


def _kill(children: Sequence[Child]) -> None:
    for child in children:
        kill_session(child.pid)


@dataclass(frozen=True)
class ServicePause:
    """A service falls silent in the middle of a command, which then runs long after everybody gave it up."""

    name: str = "service-pause"
    description: str = "SIGSTOP of the service until the command has timed out for good, then SIGCONT"
    needs: frozenset[Need] = frozenset()

    async def inject(self, target: Target) -> Landing:
        """Stop the process at the point if it is a service's, and the step's service otherwise."""
        if target.patience_s() > _LONGEST_S:
            raise FaultNotSupportedError(
                f"its attempts take {target.patience_s():.0f} s in all, and nobody pauses longer than "
                f"{_LONGEST_S:.0f} s"
            )
        child = target.service_at() or next(iter(target.service().children), None)
        if child is None:
            raise FaultMissedError("the service had ended already")
        return stopped(child.pid, time.monotonic())

    async def heal(self, target: Target) -> None:
        """Let it go on when every attempt that the step's policy allows has had its time."""
        try:
            await asyncio.sleep(target.patience_s())
        finally:
            for child in target.service().children:
                resume_session(child.pid)


@dataclass(frozen=True)
class BridgeKill:
    """The bridge's server crashes and comes back on its own data."""

    name: str = "bridge-kill"
    description: str = "SIGKILL of the bridge's server, which then starts again on its data"
    needs: frozenset[Need] = frozenset()

    async def inject(self, target: Target) -> Landing:
        """Kill it while a process stands at the point."""
        if not target.stack.services:
            raise FaultNotSupportedError("there is no bridge: steps act in the engine's own workers")
        return await kill_server(target.server("bridge"))

    async def heal(self, target: Target) -> None:
        """Start it again on the same data and ports, and wait for its answer."""
        await restart_server(target.server("bridge"), target.stack.launcher)
