"""How much memory the processes of a deployment take."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import psutil

from bakeoff.processes import Child, session_members
from bakeoff.stack import Stack

_SAMPLE_EVERY_S = 0.5
_MB = 1e6


def workers_mb(stack: Stack) -> float:
    """Megabytes of all worker processes."""
    return megabytes(stack.workers.children if stack.workers else ())


def servers_mb(stack: Stack) -> float:
    """Megabytes of all servers that we started."""
    return megabytes([server.child for server in stack.servers if server.child is not None])


def megabytes(children: Iterable[Child]) -> float:
    """Memory of these processes with all that they started.

    The proportional set size where the system tells it: pages that forked processes share count once.
    """
    return sum(_bytes(process) for child in children for process in session_members(child.pid)) / _MB


def _bytes(process: psutil.Process) -> int:
    try:
        full = process.memory_full_info()
        return int(getattr(full, "pss", None) or full.uss)
    except psutil.AccessDenied:
        return int(process.memory_info().rss)
    except psutil.Error:  # it has just ended
        return 0


@dataclass(slots=True)
class Peak:
    """The highest of many samples.

    Attributes:
        sample: Takes one, in megabytes.
        highest_mb: So far.
    """

    sample: Callable[[], float]
    highest_mb: float = field(default=0.0)

    async def watch(self) -> None:
        """Until cancelled."""
        while True:
            self.highest_mb = max(self.highest_mb, await asyncio.to_thread(self.sample))
            await asyncio.sleep(_SAMPLE_EVERY_S)
