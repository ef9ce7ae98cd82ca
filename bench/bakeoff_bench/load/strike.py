"""A fault in the middle of a load: it strikes the next saga that comes to a point."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from bakeoff.errors import UnknownNameError, UsageError
from bakeoff.nemesis import Fault, FaultMissedError, FaultNotSupportedError, Landing, Target
from bakeoff.plugins import Plugins
from bakeoff.saga import Saga
from bakeoff.stack import Stack
from bakeoff.world import Aim, Reached, arm_all, disarm, reached, release
from bakeoff_bench.crash.points import choose_points
from bakeoff_scenarios import Arrival

#: Sagas that are armed: those that are to start within so many seconds, and those that should have started
#: within so many before. Where there is a backlog, it is one of these that comes next.
_WINDOW_S, _BEHIND_S = 10.0, 60.0
_POLL_S = 0.02
#: Seconds until a saga must have come to the point.
_WITHIN_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike:
    """What is to be done, and when.

    Attributes:
        fault, point, aim: The fault; where, by name and as a place.
        after_s: Seconds after the load's beginning.
    """

    fault: Fault
    point: str
    aim: Aim
    after_s: float

    @property
    def name(self) -> str:
        """``FAULT:POINT``."""
        return f"{self.fault.name}:{self.point}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Struck:
    """What became of it.

    Attributes:
        at_s: When it struck, in monotonic seconds; ``None`` if it did not.
        missed: Why it did not.
        seen: What was seen of it.
    """

    at_s: float | None = None
    missed: str = ""
    seen: str = ""


def strike_of(text: str, saga: Saga, after_s: float) -> Strike:
    """Read ``FAULT:POINT``.

    Raises:
        UsageError: If it is not of this form, or there is no such fault or point.
    """
    name, colon, point = text.partition(":")
    known = Plugins().faults()
    if not colon:
        raise UsageError(f"--fault {text}: say what and where, as in worker-kill:charge_payment.after_effect")
    if name not in known:
        raise UnknownNameError(f"--fault {name}: there is no such fault; known: {', '.join(known)}")
    aims = choose_points(saga, [point])
    if len(aims) > 1:
        raise UsageError(f"--fault {text}: one point, as in {name}:{next(iter(aims))}")
    full, aim = next(iter(aims.items()))
    return Strike(fault=known[name], point=full, aim=aim, after_s=after_s)


async def strike(stack: Stack, planned: Strike, arrivals: Sequence[Arrival], began_s: float) -> Struck:
    """Wait until it is time, then for a saga at the point; strike, and heal."""
    await asyncio.sleep(max(0.0, began_s + planned.after_s - time.monotonic()))
    engine = stack.world.engine
    mark = max((one.id for one in reached(engine)), default=0)
    near = [
        one.planned.workflow_id
        for one in arrivals
        if planned.after_s - _BEHIND_S <= one.at_s <= planned.after_s + _WINDOW_S
    ]
    if not near:
        return Struck(missed=f"no saga starts within {_WINDOW_S:.0f} s after {planned.after_s:.0f} s")
    await asyncio.to_thread(arm_all, engine, near, planned.aim)
    try:
        first = await _first(stack, mark)
        target = Target(stack, first)
        landing = await planned.fault.inject(target)
    except (FaultMissedError, FaultNotSupportedError) as error:
        return Struck(missed=str(error))
    finally:
        disarm(engine)
        for one in reached(engine, after=mark):
            release(engine, one.id)
    await planned.fault.heal(target)
    return Struck(at_s=landing.at_s, seen=_seen(landing))


async def _first(stack: Stack, mark: int) -> Reached:
    deadline_s = time.monotonic() + _WITHIN_S
    while time.monotonic() < deadline_s:
        if found := await asyncio.to_thread(lambda: reached(stack.world.engine, after=mark)):
            return found[0]
        await asyncio.sleep(_POLL_S)
    raise FaultMissedError(f"no saga came to the point within {_WITHIN_S:.0f} s")


def _seen(landing: Landing) -> str:
    return landing.seen or f"{len(landing.ended)} processes ended"
