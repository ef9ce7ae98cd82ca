"""What else the machine did during a load: other people's processes, and the hypervisor's other guests."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass

import psutil

#: Of what an operating system tells of its CPUs: time that is somebody's work.
_BUSY = ("user", "nice", "system", "irq", "softirq")
#: Share of all CPUs that others may use before they, and not the engine, are what was measured.
MOST_OTHERS = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """Shares of all CPUs of the machine, from 0 to 1.

    Attributes:
        others: Used by processes that belong neither to the deployment nor to the harness.
        stolen: Wanted here and given to others by the hypervisor; ``None`` where no platform tells.
    """

    others: float
    stolen: float | None

    def to_json(self) -> dict[str, float | None]:
        """As plain JSON."""
        return asdict(self)

    def void(self) -> list[str]:
        """Why the numbers are the others'; empty if they are not."""
        if self.others <= MOST_OTHERS:
            return []
        return [f"other processes used {self.others:.0%} of this machine's CPUs meanwhile"]


class Bystanders:
    """Counts from when it is made."""

    def __init__(self) -> None:
        self._began_s = time.monotonic()
        self._times = psutil.cpu_times()
        self._own_s = time.process_time()

    def seen(self, ours_s: float) -> Beside:
        """What others did since then.

        Args:
            ours_s: CPU seconds of servers, workers and generator meanwhile; what this process used is added.
        """
        available_s = (time.monotonic() - self._began_s) * (psutil.cpu_count() or 1)
        now = psutil.cpu_times()
        busy_s = sum(getattr(now, name, 0.0) - getattr(self._times, name, 0.0) for name in _BUSY)
        others_s = busy_s - ours_s - (time.process_time() - self._own_s)
        stolen_s = getattr(now, "steal", 0.0) - getattr(self._times, "steal", 0.0)
        return Beside(
            others=max(0.0, others_s / available_s),
            stolen=stolen_s / available_s if hasattr(now, "steal") else None,
        )
