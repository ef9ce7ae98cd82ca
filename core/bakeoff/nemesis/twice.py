"""Two faults in a row: the second one strikes the recovery from the first."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace

from bakeoff.nemesis.fault import FaultMissedError, Landing, Need, Target
from bakeoff.nemesis.kills import WorkerKill
from bakeoff.nemesis.pauses import LONGEST_LEASE_S
from bakeoff.world import Reached, arm, reached

#: Seconds after the lease within which the call must come again. So long also where nobody waits for the
#: lease: a broker may notice at once that a connection has ended.
_BEYOND_S = 15.0
_STARTS_WITHIN_S = 30.0
_POLL_S = 0.01


@dataclass(frozen=True)
class TwoKills:
    """A worker that crashes again and again.

    The second kill comes when the call that was struck stands at the same point again. If it does not come in
    time, or died with its process, the second kill strikes the restarted worker as it is.
    """

    name: str = "two-kills"
    description: str = "SIGKILL of the whole worker, and once more when the call that it struck comes again"
    needs: frozenset[Need] = frozenset()

    async def inject(self, target: Target) -> Landing:
        """Kill twice; ``Landing.at_s`` is the second time, for recovery begins there."""
        world = target.stack.world.engine
        again: Reached | None = None
        arm(world, target.at.workflow_id, target.at.aim)
        try:
            first = await WorkerKill().inject(target)
            again = await _again(target)
        finally:
            if again is None:  # nobody will come for whoever stands there later
                arm(world, target.at.workflow_id, target.at.aim, times=-1)
        second = await WorkerKill().inject(replace(target, at=again or await _restarted(target)))
        when = "when the call came again" if again else "when the worker was up again"
        seen = f"{first.seen}; {second.at_s - first.at_s:.1f} s later, {when}: {second.seen}"
        return Landing(first.ended + second.ended, second.at_s, seen)

    async def heal(self, target: Target) -> None:
        """Nothing to do: the supervisor starts the worker again."""


async def _again(target: Target) -> Reached | None:
    if target.stack.info.in_process or not target.at.id:  # nobody stands where a saga waits
        return None
    lease_s = target.lease_s()
    deadline = time.monotonic() + _BEYOND_S + (lease_s if lease_s <= LONGEST_LEASE_S else 0)
    at = target.at
    while time.monotonic() < deadline:
        for one in await asyncio.to_thread(reached, target.stack.world.engine, after=at.id):
            if (one.workflow_id, one.aim) == (at.workflow_id, at.aim):
                return one
        await asyncio.sleep(_POLL_S)
    return None


async def _restarted(target: Target) -> Reached:
    """The first worker that is up and has announced itself, as if it stood at the point."""
    workers, deadline = target.stack.workers, time.monotonic() + _STARTS_WITHIN_S
    while workers is not None and time.monotonic() < deadline:
        ready = [child for child in workers.children if child.alive and child not in workers.not_ready()]
        if ready:
            return replace(target.at, pid=ready[0].pid)
        await asyncio.sleep(_POLL_S)
    raise FaultMissedError(f"no worker was up again within {_STARTS_WITHIN_S:.0f} s of the first kill")
