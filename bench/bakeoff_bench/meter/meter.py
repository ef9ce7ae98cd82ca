"""Follows the processes of a deployment and adds up what they use."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Collection
from types import TracebackType

import psutil

from bakeoff.processes import Workers
from bakeoff.stack import Backend, Stack
from bakeoff_bench.meter.cpu import CpuBook
from bakeoff_bench.meter.reading import Reading, read
from bakeoff_bench.meter.roles import DEPLOYMENT, Family, Role, is_ledger, roots
from bakeoff_bench.meter.storage import Stored, stored
from bakeoff_bench.meter.usage import NO_WIRE, TOTAL, ResourceUsage, Sample, usage_of

SAMPLE_EVERY_S = 0.5


class ResourceMeter:
    """Measures from ``start`` to ``stop``, or within ``async with``, in a thread of its own.

    Args:
        backend: What is measured; a ``Stack`` brings its workers and says whether it is in-process.
        clients: Process ids of whoever drives it (the load generator). Theirs is what descends from them and
            stays in their session. Without any, the client is unknown.
        workers: Those of a backend that is no ``Stack``.
        every_s: Seconds between two samples.
    """

    def __init__(
        self,
        backend: Backend,
        clients: Collection[int] = (),
        *,
        workers: Workers | None = None,
        every_s: float = SAMPLE_EVERY_S,
    ) -> None:
        self._backend = backend
        self._workers = workers
        self._clients = dict.fromkeys(clients, Role.CLIENT)
        self._every_s = every_s
        self._roots: dict[int, Role] = {}
        self._family = Family()
        self._cpu = CpuBook()
        self._samples: list[Sample] = []
        self._kinds: set[str] = set()
        self._unknown: dict[str, str] = {"wire_bytes": NO_WIRE}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="resource-meter", daemon=True)
        self._failure: BaseException | None = None
        self._cpu_used_s = 0.0
        self._usage: ResourceUsage | None = None

    @property
    def usage(self) -> ResourceUsage:
        """The result; there is one after ``stop``."""
        assert self._usage is not None, "the meter is still running, or was never started"
        return self._usage

    @property
    def samples(self) -> tuple[Sample, ...]:
        """Those taken so far; may be asked for at any time."""
        return tuple(self._samples)

    def start(self) -> None:
        """Take the first sample, from which everything counts, and go on in the background."""
        self._unknown |= _what_we_cannot_see(self._backend, self._workers, self._clients)
        self._before = stored(self._backend)
        self._began_s = time.monotonic()
        self._sample()
        self._thread.start()

    def stop(self) -> ResourceUsage:
        """Take the last sample and add up; servers must still be there. Raises what went wrong meanwhile."""
        self._over.set()
        self._thread.join()
        if self._failure is not None:
            raise self._failure
        self._sample()
        window_s = self._last_s
        growth = self._growth()
        self._unknown |= {
            f"stored_bytes.{role}": "the files are on a server that we did not start"
            for role, grown in growth.items()
            if grown is None
        }
        self._usage = ResourceUsage(
            window_s=window_s,
            roles=usage_of(self._samples, self._unknown),
            memory_kind="+".join(sorted(self._kinds)),
            stored=growth,
            wire_bytes=None,
            meter_cpu_s=self._cpu_used_s,
            unknown=self._unknown,
            note="everything runs in the client's process" if self._backend.info.in_process else "",
            samples=tuple(self._samples),
        )
        return self._usage

    async def __aenter__(self) -> ResourceMeter:
        await asyncio.to_thread(self.start)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)

    def _growth(self) -> dict[str, Stored | None]:
        after = stored(self._backend)
        return {
            str(role): None if before is None or (now := after[role]) is None else now - before
            for role, before in self._before.items()
        }

    def _run(self) -> None:
        try:
            while not self._over.wait(self._every_s):
                self._sample()
        except BaseException as error:  # raised by stop
            self._failure = error

    def _sample(self) -> None:
        used_before_s = time.thread_time()
        roles = self._members()
        readings = [one for pid in roles if (one := read(pid)) is not None]
        # A parent that was read after the end of its child has it on its account; it may not count here too.
        readings = [one for one in readings if psutil.pid_exists(one.pid)]
        self._cpu.record(readings, roles, {pid: self._family.parent(pid) for pid in roles})
        self._kinds |= {one.memory_kind for one in readings if one.alive}
        self._last_s = time.monotonic() - self._began_s
        self._write(self._last_s, readings, roles)
        self._cpu_used_s += time.thread_time() - used_before_s

    def _members(self) -> dict[int, Role]:
        """What a killed leader leaves behind is still its role's, as long as somebody is in its session."""
        sessions = self._family.sessions()
        self._roots = {pid: role for pid, role in self._roots.items() if pid in sessions}
        self._roots |= self._clients | roots(self._backend, self._workers)
        return self._family.members(self._roots)

    def _write(self, t: float, readings: list[Reading], roles: dict[int, Role]) -> None:
        seconds = self._cpu.seconds()
        by_role = {role: [one for one in readings if roles[one.pid] is role] for role in seconds}
        for role, of_role in by_role.items():
            if role not in self._unknown:
                self._samples.append(_sample(t, role, seconds[role], of_role))
        if not any(role in self._unknown for role in DEPLOYMENT):
            used_s = sum(seconds.get(role, 0.0) for role in DEPLOYMENT)
            everything = [one for role in DEPLOYMENT for one in by_role.get(role, ())]
            self._samples.append(_sample(t, TOTAL, used_s, everything))


def _sample(t: float, role: str, cpu_s: float, readings: list[Reading]) -> Sample:
    return Sample(
        t=t,
        role=str(role),
        cpu_s=cpu_s,
        memory_bytes=sum(one.memory_bytes for one in readings),
        processes=sum(one.alive for one in readings),
        threads=sum(one.threads for one in readings),
    )


def _what_we_cannot_see(
    backend: Backend, workers: Workers | None, clients: Collection[int]
) -> dict[str, str]:
    """``{role: why}``; no address is in it."""
    unknown: dict[str, str] = {}
    foreign = [one.server for one in backend.servers if one.child is None and not is_ledger(one)]
    if foreign:
        names = ", ".join(f"{one.kind} ({one.role})" for one in foreign)
        unknown[Role.SERVERS] = f"we did not start {names}"
    if workers is None and not isinstance(backend, Stack) and not backend.info.in_process:
        unknown[Role.WORKERS] = "nobody said which processes they are"
    if not clients:
        unknown[Role.CLIENT] = "nobody said which process it is"
    return unknown
