"""SIGSTOP, and SIGCONT when it has lasted long enough: a worker that comes back as a zombie, a frozen server.

Nothing else stops a process so thoroughly: connections stay open, and nobody is told anything. A virtual
machine that is moved, or a collector that stops the world, looks like this to all others.
"""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass

from bakeoff.nemesis.fault import FaultMissedError, FaultNotSupportedError, Landing, Need, Target
from bakeoff.processes import pause_session, resume_session
from bakeoff.servers import await_answer

#: Seconds; nobody waits for a longer lease.
LONGEST_LEASE_S = 120.0
#: Seconds after the lease in which another worker may take over, before the paused one goes on all the same.
_BEYOND_S = 15.0
#: Seconds by which the other worker gets ahead.
_AHEAD_S = 0.5
_POLL_S = 0.05


@dataclass(frozen=True)
class WorkerPause:
    """A worker that is given up for dead and comes back in the middle of its step: a zombie."""

    name: str = "worker-pause"
    description: str = "SIGSTOP of the whole worker until another one has taken over, then SIGCONT"
    needs: frozenset[Need] = frozenset({Need.SECOND_WORKER, Need.POSTGRES})

    async def inject(self, target: Target) -> Landing:
        """Stop the session that the process at the point belongs to."""
        _check(target)
        child = target.worker()
        at_s = time.monotonic()
        return stopped(child.pid, at_s)

    async def heal(self, target: Target) -> None:
        """Let it go on when another worker has taken its saga over, or its lease is long over."""
        try:
            await _until_taken_over(target)
        finally:
            workers = target.stack.workers
            for child in workers.children if workers else ():
                resume_session(child.pid)


def _check(target: Target) -> None:
    stack, lease_s = target.stack, target.lease_s()
    if stack.info.in_process:
        raise FaultNotSupportedError("its sagas run in one process: no other one takes over")
    if stack.workers is None or len(stack.workers.children) < 2:
        raise FaultNotSupportedError("there is no second worker to take over")
    if stack.world.engine.dialect.name == "sqlite":
        raise FaultNotSupportedError("a paused writer locks everyone out of SQLite; it needs PostgreSQL")
    if math.isinf(lease_s):
        raise FaultNotSupportedError("by its settings a call that was begun never comes to another worker")
    if lease_s > LONGEST_LEASE_S:
        raise FaultNotSupportedError(
            f"its lease is {lease_s:.0f} s, and none longer than {LONGEST_LEASE_S:.0f} s is waited for"
        )


async def _until_taken_over(target: Target) -> None:
    at, world = target.at, target.stack.world
    paused = target.worker().members()
    deadline = time.monotonic() + target.lease_s() + _BEYOND_S
    while time.monotonic() < deadline:
        records = await asyncio.to_thread(world.ledger, workflow_id=at.workflow_id)
        if any(record.at > at.at and record.pid not in paused for record in records):
            await asyncio.sleep(_AHEAD_S)
            return
        await asyncio.sleep(_POLL_S)


@dataclass(frozen=True)
class ServerPause:
    """The engine's server or broker freezes: connections stay open, nothing answers.

    Attributes:
        seconds: How long.
    """

    name: str = "server-pause"
    description: str = "SIGSTOP of the engine's server or broker for 10 s, then SIGCONT"
    needs: frozenset[Need] = frozenset()
    seconds: float = 10.0

    async def inject(self, target: Target) -> Landing:
        """Stop the first server of the engine."""
        child = target.server().child
        assert child is not None
        return stopped(child.pid, time.monotonic())

    async def heal(self, target: Target) -> None:
        """Let it go on when its time is over, and wait for its answer."""
        running = target.server()
        assert running.child is not None
        try:
            await asyncio.sleep(self.seconds)
        finally:
            resume_session(running.child.pid)
        await await_answer(running)


def stopped(leader: int, at_s: float) -> Landing:
    """SIGSTOP of a whole session, seen to happen; ``FaultMissedError`` if there was nobody left."""
    try:
        still = pause_session(leader)
    except TimeoutError as error:
        raise FaultMissedError(str(error)) from error
    if not still:
        raise FaultMissedError("the process had ended before it could be stopped")
    return Landing((), at_s, f"processes stopped: {len(still)}")
