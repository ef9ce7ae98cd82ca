"""What a deployment used over a window of time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from bakeoff_bench.meter.roles import DEPLOYMENT, Role
from bakeoff_bench.meter.storage import Stored

#: Name of servers, workers and client together.
TOTAL = "total"
#: Why bytes on the wire are not told.
NO_WIRE = (
    "the system counts bytes per network interface, and every process of the machine shares the loopback one"
)


@dataclass(frozen=True, slots=True)
class Sample:
    """One role at one moment.

    Attributes:
        t: Seconds since the start of the window.
        role: A ``Role``, or ``total`` for servers, workers and client together.
        cpu_s: CPU seconds, user and system, from the start of the window on.
        memory_bytes: Of all its processes, of the kind that the result names.
        processes, threads: How many there are.
    """

    t: float
    role: str
    cpu_s: float
    memory_bytes: int
    processes: int
    threads: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleUsage:
    """What one role used.

    Attributes:
        cpu_s: CPU seconds, user and system, within the window, of processes that ended in it as well.
        peak_memory_bytes: The highest sample.
        steady_memory_bytes: Median of the samples in the last half of the window.
        most_processes, most_threads: At once.
    """

    cpu_s: float
    peak_memory_bytes: int
    steady_memory_bytes: int
    most_processes: int
    most_threads: int

    @classmethod
    def of(cls, samples: Sequence[Sample]) -> RoleUsage:
        """Of the samples of one role, in order of time; there is at least one."""
        half_s = samples[-1].t / 2
        return cls(
            cpu_s=samples[-1].cpu_s,
            peak_memory_bytes=max(one.memory_bytes for one in samples),
            steady_memory_bytes=int(median(one.memory_bytes for one in samples if one.t >= half_s)),
            most_processes=max(one.processes for one in samples),
            most_threads=max(one.threads for one in samples),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceUsage:
    """The bill of one deployment over one window.

    Attributes:
        window_s: Length of the window in seconds.
        roles: ``{role or "total": usage}``; ``None`` where it is unknown, and absent where there is nothing.
        memory_kind: ``pss``, ``uss`` or ``rss``; see ``bakeoff_bench.meter.reading``. Several, joined by
            ``+``, where some processes refused the better one.
        stored: ``{"servers" or "ledger": growth within the window}``; ``None`` where it is unknown.
        wire_bytes: On the network; ``None`` as long as no platform tells.
        meter_cpu_s: CPU seconds that taking this took, in the process that took it.
        unknown: ``{what: why}`` of everything that is ``None``.
        note: One sentence to be printed beside the numbers; often empty.
        samples: In order of time.
    """

    window_s: float
    roles: Mapping[str, RoleUsage | None]
    memory_kind: str
    stored: Mapping[str, Stored | None]
    wire_bytes: int | None
    meter_cpu_s: float
    unknown: Mapping[str, str]
    note: str
    samples: tuple[Sample, ...]

    @property
    def total(self) -> RoleUsage | None:
        """Servers, workers and client together; ``None`` if any of them is unknown."""
        return self.roles[TOTAL]

    def per_1000(self, sagas: int) -> dict[str, float | None]:
        """What grows with the number of sagas, for every thousand of them.

        Memory and processes are levels, which do not add up: they are told as they are.

        Args:
            sagas: That settled within the window; of none, nothing can be said.

        Returns:
            ``{"cpu_s.ROLE": seconds, "cpu_s.total": seconds, "stored_bytes.servers": apparent bytes,
            "stored_bytes.ledger": apparent bytes, "wire_bytes": bytes}``; ``None`` where it is unknown.
        """
        grows: dict[str, float | None] = {"wire_bytes": self.wire_bytes}
        for role, usage in self.roles.items():
            grows[f"cpu_s.{role}"] = None if usage is None else usage.cpu_s
        for role, growth in self.stored.items():
            grows[f"stored_bytes.{role}"] = None if growth is None else growth.apparent_bytes
        return {
            what: None if amount is None or sagas < 1 else amount * 1000 / sagas
            for what, amount in grows.items()
        }

    def to_json(self) -> dict[str, Any]:
        """As plain JSON, without the samples; ``rows`` has those."""
        return {
            "window_s": self.window_s,
            "roles": {role: usage and asdict(usage) for role, usage in self.roles.items()},
            "memory_kind": self.memory_kind,
            "stored": {role: one and asdict(one) for role, one in self.stored.items()},
            "wire_bytes": self.wire_bytes,
            "meter_cpu_s": self.meter_cpu_s,
            "unknown": dict(self.unknown),
            "note": self.note,
        }

    def rows(self) -> list[dict[str, Any]]:
        """The samples as rows of a table, all with the same columns."""
        return [asdict(one) for one in self.samples]


def usage_of(samples: Iterable[Sample], unknown: Mapping[str, str]) -> dict[str, RoleUsage | None]:
    """``{role or "total": usage}``; the total is unknown if a part of it is."""
    by_role: dict[str, list[Sample]] = {}
    for one in samples:
        by_role.setdefault(one.role, []).append(one)
    found: dict[str, RoleUsage | None] = {role: RoleUsage.of(of_role) for role, of_role in by_role.items()}
    found |= dict.fromkeys([role for role in Role if role in unknown])
    if any(role in unknown for role in DEPLOYMENT):
        found[TOTAL] = None
    return found
