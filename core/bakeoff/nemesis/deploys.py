"""SIGTERM, as a deployment sends it: with patience, and without."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from bakeoff.nemesis.ends import ENDS_WITHIN_S, ended
from bakeoff.nemesis.fault import FaultMissedError, Landing, Need, Target
from bakeoff.processes import Child, kill_session


@dataclass(frozen=True)
class WorkerTerm:
    """A deployment that gives the worker time to put things in order.

    Its leader alone gets the signal, as the first process of a container does; the rest is the engine's part.

    Attributes:
        grace_s: What Kubernetes gives unless told otherwise.
        step_s: From SIGTERM to the end of the step, at the most. Less, and the step may have ended before a
            worker that looks once a second (Dramatiq's) knows that it is to stop.
    """

    name: str = "worker-term"
    description: str = "SIGTERM to the worker in the middle of a step, and time to end in order"
    needs: frozenset[Need] = frozenset()
    grace_s: float = 30.0
    step_s: float = 1.0

    async def inject(self, target: Target) -> Landing:
        """Let the step end after SIGTERM, and see the worker end of itself."""
        child = target.worker()
        aimed, at_s = child.members(), time.monotonic()
        child.popen.terminate()
        await asyncio.sleep(min(self.step_s, target.timeout_s() / 2))
        target.let_go(aimed)
        if not await ended(aimed, self.grace_s):
            await asyncio.to_thread(kill_session, child.pid)  # or there would be no worker any more
            raise FaultMissedError(f"the worker did not end within {self.grace_s:.0f} s of SIGTERM")
        return Landing(aimed, at_s, f"ended {time.monotonic() - at_s:.1f} s after SIGTERM{_code(child)}")

    async def heal(self, target: Target) -> None:
        """Nothing to do: the supervisor starts the worker again."""


@dataclass(frozen=True)
class WorkerTermKill:
    """A deployment that runs out of patience while a step still runs.

    Attributes:
        grace_s: At the most; never more than half of the step's timeout, which is not what is tested.
    """

    name: str = "worker-term-kill"
    description: str = "SIGTERM to the worker, and SIGKILL of all of it before the step has ended"
    needs: frozenset[Need] = frozenset()
    grace_s: float = 2.0

    async def inject(self, target: Target) -> Landing:
        """Keep the step at its point, so that SIGTERM alone ends no worker that waits for its steps."""
        child = target.worker()
        aimed, at_s = child.members(), time.monotonic()
        grace_s = min(self.grace_s, target.timeout_s() / 2)
        child.popen.terminate()
        if await ended(aimed, grace_s):
            return Landing(aimed, at_s, f"ended {time.monotonic() - at_s:.1f} s after SIGTERM{_code(child)}")
        at_s = time.monotonic()
        await asyncio.to_thread(kill_session, child.pid)
        if not await ended(aimed, ENDS_WITHIN_S):
            raise FaultMissedError("the worker still runs after SIGKILL")
        return Landing(aimed, at_s, f"ended of SIGKILL, {grace_s:.1f} s after SIGTERM")

    async def heal(self, target: Target) -> None:
        """Nothing to do: the supervisor starts the worker again."""


def _code(child: Child) -> str:
    code = child.popen.poll()
    return "" if code is None else f" with exit code {code}"
