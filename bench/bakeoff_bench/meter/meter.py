"""Follows a deployment over a window of time and makes out its bill."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Collection
from types import TracebackType

from bakeoff.processes import Workers
from bakeoff.stack import Backend, Stack
from bakeoff_bench.meter.roles import Role, is_ledger, roots
from bakeoff_bench.meter.sampler import Sampler
from bakeoff_bench.meter.storage import Stored, stored
from bakeoff_bench.meter.usage import NO_WIRE, ResourceUsage, Sample, usage_of

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
        self._unknown = {"wire_bytes": NO_WIRE} | _what_we_cannot_see(backend, workers, clients)
        self._sampler = Sampler()
        self._samples: list[Sample] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="resource-meter", daemon=True)
        self._failure: BaseException | None = None
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
        window_s = self._sample(memory=True)
        growth = self._growth()
        self._unknown |= {
            f"stored_bytes.{role}": "the files are on a server that we did not start"
            for role, grown in growth.items()
            if grown is None
        }
        self._usage = ResourceUsage(
            window_s=window_s,
            roles=usage_of(self._samples, self._unknown),
            memory_kind="+".join(sorted(self._sampler.memory_kinds)),
            stored=growth,
            wire_bytes=None,
            meter_cpu_s=self._sampler.cpu_s,
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

    def _run(self) -> None:
        try:
            while not self._over.wait(self._every_s):
                self._sample()
        except BaseException as error:  # raised by stop
            self._failure = error

    def _sample(self, *, memory: bool = False) -> float:
        """Return its time."""
        t = time.monotonic() - self._began_s
        now = self._clients | roots(self._backend, self._workers)
        self._samples += self._sampler.take(t, now, self._unknown, memory=memory)
        return t

    def _growth(self) -> dict[str, Stored | None]:
        after = stored(self._backend)
        return {
            str(role): None if before is None or (now := after[role]) is None else now - before
            for role, before in self._before.items()
        }


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
