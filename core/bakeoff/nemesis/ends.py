"""Seeing processes end, and doing what ends them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from bakeoff.nemesis.fault import FaultMissedError, Landing
from bakeoff.processes import is_gone

#: Seconds within which a killed process must be seen to end.
ENDS_WITHIN_S = 30.0
_POLL_S = 0.005


async def ended(aimed: Sequence[int], within_s: float) -> bool:
    """Wait until none of these processes lives; ``False`` if one still does after ``within_s``."""
    deadline = time.monotonic() + within_s
    while not all(map(is_gone, aimed)):
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(_POLL_S)
    return True


async def killed(aimed: Sequence[int], kill: Callable[[], None]) -> Landing:
    """Kill processes and see them end.

    Raises:
        FaultMissedError: If one still lives after ``ENDS_WITHIN_S``, or none was there.
    """
    if not aimed:
        raise FaultMissedError("it had ended already")
    at_s = time.monotonic()
    try:
        await asyncio.to_thread(kill)
    except ProcessLookupError as error:
        raise FaultMissedError(f"of processes {list(aimed)} one had ended already") from error
    if not await ended(aimed, ENDS_WITHIN_S):
        raise FaultMissedError(f"processes {[pid for pid in aimed if not is_gone(pid)]} still run")
    return Landing(tuple(aimed), at_s, f"processes ended of SIGKILL: {len(aimed)}")
