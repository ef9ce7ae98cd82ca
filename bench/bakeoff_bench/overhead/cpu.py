"""CPU seconds of processes, read from outside at the two ends of a window."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import psutil

from bakeoff.processes.child import session_members


def cpu_by_process(leaders: Iterable[int]) -> Mapping[int, float]:
    """``{process id: CPU seconds so far}`` of every process in the sessions that these leaders opened.

    User and system time, in steps of the kernel's clock tick (10 ms): windows should be seconds long.
    """
    seconds: dict[int, float] = {}
    for leader in leaders:
        for process in session_members(leader):
            try:
                times = process.cpu_times()
            except psutil.NoSuchProcess:
                continue
            seconds[process.pid] = times.user + times.system
    return seconds


def cpu_between(before: Mapping[int, float], after: Mapping[int, float]) -> float:
    """CPU seconds of a window; a process that began in it counts whole, one that ended not at all."""
    return sum(seconds - before.get(pid, 0.0) for pid, seconds in after.items())
