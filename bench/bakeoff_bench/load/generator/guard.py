"""Whether the generator itself kept up; what it measured is void if it did not."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

_EVERY_S = 0.01
#: Share of one CPU, as the process is one interpreter.
MOST_CPU = 0.8
#: Seconds by which the 99th percentile of starts may be late, and the loop may lag.
MOST_LATE_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """What the load cost its generator.

    Attributes:
        seconds: From the first arrival to the last saga that was waited for.
        arriving_s: From the first to the last arrival.
        cpu_s: CPU seconds of the process while sagas arrived.
        lag_p99_s: 99th percentile of how late the event loop was, while sagas arrived.
        late_p99_s, late_max_s: How much later than intended the client was called.
        sheds: Arrivals that were not sent.
        in_process: Whether the engine runs in the generator, so that its CPU is the engine's.
    """

    seconds: float
    arriving_s: float
    cpu_s: float
    lag_p99_s: float
    late_p99_s: float
    late_max_s: float
    sheds: int
    in_process: bool

    def to_json(self) -> dict[str, Any]:
        """As plain JSON; ``Effort(**data)`` reverses it."""
        return asdict(self)

    def void(self) -> list[str]:
        """Why the numbers are the generator's, and not the engine's; empty if they are not."""
        found = []
        if self.sheds:
            found.append(f"{self.sheds} arrivals were shed: too many sagas in flight")
        if self.in_process:
            return found  # generator and engine are one process: being late is the engine's doing
        share = self.cpu_s / self.arriving_s if self.arriving_s else 0.0
        if share > MOST_CPU:
            found.append(f"the generator needed {share:.0%} of a CPU")
        if self.late_p99_s > MOST_LATE_S:
            found.append(f"starts were up to {1000 * self.late_p99_s:.0f} ms late (99th percentile)")
        if self.lag_p99_s > MOST_LATE_S:
            found.append(f"its event loop lagged {1000 * self.lag_p99_s:.0f} ms (99th percentile)")
        return found


class Guard:
    """Watches the event loop that it runs in, and the CPU of its process."""

    def __init__(self) -> None:
        self._lags_s: list[float] = []
        self._cpu_s = time.process_time()
        self._began_s = time.monotonic()

    async def watch(self) -> None:
        """Until cancelled."""
        while True:
            before_s = time.monotonic()
            await asyncio.sleep(_EVERY_S)
            self._lags_s.append(time.monotonic() - before_s - _EVERY_S)

    def cpu_s(self) -> float:
        """CPU seconds of this process since the guard was made."""
        return time.process_time() - self._cpu_s

    def lag_p99_s(self) -> float:
        """How late the loop was."""
        return p99(self._lags_s)


def p99(values: Sequence[float]) -> float:
    """Nearest rank; 0 of nothing."""
    ordered = sorted(values)
    return max(0.0, ordered[math.ceil(0.99 * len(ordered)) - 1]) if ordered else 0.0
