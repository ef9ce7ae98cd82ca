"""What the system tells of one process: CPU, memory, threads."""

from __future__ import annotations

from typing import NamedTuple

import psutil

from bakeoff.stack import Backend
from bakeoff_bench.meter.roles import Role, processes_of


class Reading(NamedTuple):
    """One process at one moment.

    Attributes:
        pid, began_at: Which process; numbers are given anew.
        own_s: CPU seconds of all its threads so far, user and system.
        ended_children_s: CPU seconds of the whole lives of children that have ended and whose end it has
            asked for; zero where the platform does not tell (macOS).
        memory_bytes: See ``memory_of``.
        memory_kind: See ``memory_of``.
        threads: How many; none is left of a zombie.
    """

    pid: int
    began_at: float
    own_s: float
    ended_children_s: float
    memory_bytes: int
    memory_kind: str
    threads: int

    @property
    def alive(self) -> bool:
        """Whether it is more than a zombie."""
        return self.threads > 0


def read(pid: int, *, memory: bool = True) -> Reading | None:
    """Read one process; ``None`` if it is not there (any more)."""
    try:
        process = psutil.Process(pid)
        with process.oneshot():
            times = process.cpu_times()
            alive = process.status() != psutil.STATUS_ZOMBIE
            size, kind = memory_of(process) if memory and alive else (0, "")
            return Reading(
                pid,
                process.create_time(),
                times.user + times.system,
                getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0),
                size,
                kind,
                process.num_threads() if alive else 0,
            )
    except psutil.Error:
        return None


def memory_bytes(backend: Backend, role: Role) -> int:
    """What the processes of this role take now; see ``memory_of``."""
    readings = [read(pid) for pid, its in processes_of(backend).items() if its is role]
    return sum(one.memory_bytes for one in readings if one is not None)


def memory_of(process: psutil.Process) -> tuple[int, str]:
    """Bytes, and what they are.

    ``pss``, the proportional set size, on Linux: a page that several processes share counts in equal parts
    for each of them, whoever they are. ``uss``, the unique set size, on macOS: shared pages are missing.
    ``rss`` where neither is told: shared pages count for each process.

    Raises:
        psutil.NoSuchProcess: If it has ended.
    """
    # psutil 8 calls it so, and warns of the old name.
    full = getattr(process, "memory_footprint", None) or process.memory_full_info
    try:
        told = full()
    except psutil.AccessDenied:
        return process.memory_info().rss, "rss"
    for kind in ("pss", "uss"):
        if hasattr(told, kind):
            return getattr(told, kind), kind
    return process.memory_info().rss, "rss"
