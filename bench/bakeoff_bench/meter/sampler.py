"""Samples of the processes of a deployment, one after the other."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping

import psutil

from bakeoff_bench.meter.cpu import CpuBook
from bakeoff_bench.meter.reading import Reading, read
from bakeoff_bench.meter.roles import DEPLOYMENT, Family, Role
from bakeoff_bench.meter.usage import TOTAL, Sample

#: For a process's proportional share the kernel walks through all its pages: that takes milliseconds of CPU,
#: during which the process may have to wait if it wants memory.
MEMORY_EVERY_S = 2.0


class Sampler:
    """Remembers what it has seen, so that CPU seconds add up over processes that come and go.

    Attributes:
        memory_kinds: Of all samples so far; see ``bakeoff_bench.meter.reading.memory_of``.
        cpu_s: CPU seconds of this thread that the samples took.
    """

    def __init__(self) -> None:
        self._roots: dict[int, Role] = {}
        self._family = Family()
        self._cpu = CpuBook()
        self._memory: dict[int, tuple[int, str]] = {}
        self._memory_due_s = 0.0
        self.memory_kinds: set[str] = set()
        self.cpu_s = 0.0

    def take(
        self, t: float, roots: Mapping[int, Role], unknown: Collection[str], *, memory: bool = False
    ) -> list[Sample]:
        """One sample of each role that has, or had, processes, and one of the three that make the total.

        Args:
            t: Seconds since the start of the window.
            roots: ``{process id: role}`` of the processes that were started for a role and are there now.
            unknown: Roles of which there is more than we can see; they and their sum are left out.
            memory: Read everybody's memory now. Otherwise that of a process is read when it is first seen,
                and then every ``MEMORY_EVERY_S``.
        """
        began_s = time.thread_time()
        roles = self._members(roots)
        if memory or time.monotonic() >= self._memory_due_s:
            self._memory.clear()
            self._memory_due_s = time.monotonic() + MEMORY_EVERY_S
        readings = [one for pid in roles if (one := self._read(pid)) is not None]
        # A parent that was read after the end of its child has it on its account; it may not count here too.
        readings = [one for one in readings if psutil.pid_exists(one.pid)]
        self.memory_kinds |= {one.memory_kind for one in readings if one.alive}
        self._cpu.record(readings, roles, {pid: self._family.parent(pid) for pid in roles})
        samples = self._samples(t, readings, roles, unknown)
        self.cpu_s += time.thread_time() - began_s
        return samples

    def _members(self, roots: Mapping[int, Role]) -> dict[int, Role]:
        """What a killed leader leaves behind is still its role's, as long as somebody is in its session."""
        sessions = self._family.sessions()
        self._roots = {pid: role for pid, role in self._roots.items() if pid in sessions} | dict(roots)
        return self._family.members(self._roots)

    def _read(self, pid: int) -> Reading | None:
        found = read(pid, memory=pid not in self._memory)
        if found is None:
            self._memory.pop(pid, None)
        elif found.alive:
            size, kind = self._memory.setdefault(pid, (found.memory_bytes, found.memory_kind))
            return found._replace(memory_bytes=size, memory_kind=kind)
        return found

    def _samples(
        self, t: float, readings: list[Reading], roles: Mapping[int, Role], unknown: Collection[str]
    ) -> list[Sample]:
        seconds = self._cpu.seconds()
        by_role = {role: [one for one in readings if roles[one.pid] is role] for role in seconds}
        samples = [
            _sample(t, role, seconds[role], of_role)
            for role, of_role in by_role.items()
            if role not in unknown
        ]
        if not any(role in unknown for role in DEPLOYMENT):
            used_s = sum(seconds.get(role, 0.0) for role in DEPLOYMENT)
            everything = [one for role in DEPLOYMENT for one in by_role.get(role, ())]
            samples.append(_sample(t, TOTAL, used_s, everything))
        return samples


def _sample(t: float, role: str, cpu_s: float, readings: list[Reading]) -> Sample:
    return Sample(
        t=t,
        role=str(role),
        cpu_s=cpu_s,
        memory_bytes=sum(one.memory_bytes for one in readings),
        processes=sum(one.alive for one in readings),
        threads=sum(one.threads for one in readings),
    )
