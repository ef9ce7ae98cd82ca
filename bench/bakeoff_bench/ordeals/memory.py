"""How much memory the processes of a deployment take."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from bakeoff.stack import Stack
from bakeoff_bench.meter import SAMPLE_EVERY_S, Role, memory_bytes

_MB = 1e6


def workers_mb(stack: Stack) -> float:
    """Megabytes of all worker processes."""
    return memory_bytes(stack, Role.WORKERS) / _MB


def servers_mb(stack: Stack) -> float:
    """Megabytes of all servers of the engine that we started."""
    return memory_bytes(stack, Role.SERVERS) / _MB


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
            await asyncio.sleep(SAMPLE_EVERY_S)
