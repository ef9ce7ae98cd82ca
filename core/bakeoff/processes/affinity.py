"""Which CPUs processes run on, where the platform lets one say so."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bakeoff.errors import UsageError

#: What a user is told where CPUs cannot be given out.
NO_AFFINITY = (
    f"{sys.platform} lets nobody choose a process's CPUs: generator, servers and workers share all of them"
)


class Split(NamedTuple):
    """Who runs where; no CPU is in both sets."""

    deployment: frozenset[int]
    generator: frozenset[int]


def available_cpus() -> frozenset[int] | None:
    """CPUs that this thread may run on, fewer than the machine's in many a container.

    ``None`` where the platform knows no such thing (macOS).
    """
    if sys.platform != "linux":
        return None
    return frozenset(os.sched_getaffinity(0))


def split(count: int, available: Collection[int] | None, tell: Callable[[str], object]) -> Split | None:
    """Give ``count`` CPUs to the servers and workers of a deployment, and the rest to the load generator.

    CPUs that are threads of one core stay together as far as the numbers allow.

    Args:
        count: Of ``--cpus``.
        available: As ``available_cpus()`` has them.
        tell: Takes the one line that a user must see: there is no affinity, or both sides share a core.

    Returns:
        ``None`` where the platform has no affinity.

    Raises:
        UsageError: If either side would be left without a CPU.
    """
    if count < 1:
        raise UsageError(f"--cpus {count}: a deployment needs at least one CPU")
    if available is None:
        tell(NO_AFFINITY)
        return None
    if count >= len(available):
        way_out = f"give at most {len(available) - 1}" if len(available) > 1 else "leave --cpus out"
        raise UsageError(
            f"--cpus {count}: of the {len(available)} CPUs that we may use, "
            f"none is left for the load generator; {way_out}"
        )
    cores: dict[str, list[int]] = {}
    for cpu in sorted(available):
        cores.setdefault(_threads_of_its_core(cpu), []).append(cpu)
    in_order = [cpu for core in cores.values() for cpu in core]
    parts = Split(frozenset(in_order[:count]), frozenset(in_order[count:]))
    if any(parts.deployment & set(core) and parts.generator & set(core) for core in cores.values()):
        tell(f"--cpus {count}: generator and deployment share a core, each has one of its threads")
    return parts


def _threads_of_its_core(cpu: int) -> str:
    """The same text for every CPU that is a thread of the same core. Source: Linux, ``cputopology.rst``."""
    try:
        return Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list").read_text()
    except OSError:
        return str(cpu)


@contextmanager
def pinned(cpus: Collection[int] | None) -> Iterator[None]:
    """Keep what this thread starts meanwhile, with all that it starts, on these CPUs; ``None``: anywhere.

    The set is inherited, so it is put on this thread for the moment of the start. Put on the process
    afterwards, it would miss the threads that are there by then, and come too late for a program that counts
    its CPUs first of all (Go's scheduler, Erlang's).

    Raises:
        UsageError: If exactly these CPUs are not to be had.
    """
    if cpus is None:
        yield
        return
    if sys.platform != "linux":
        raise UsageError(f"{NO_AFFINITY}; leave --cpus out")
    before = os.sched_getaffinity(0)
    try:
        _run_on(cpus)
        yield
    finally:
        os.sched_setaffinity(0, before)


def _run_on(cpus: Collection[int]) -> None:
    """Put this thread there; the kernel takes what it may out of the set, and says nothing of the rest."""
    try:
        os.sched_setaffinity(0, cpus)
        had = os.sched_getaffinity(0)
    except (OSError, ValueError):  # not one of them is there
        had = set()
    if not had or had != set(cpus):
        raise UsageError(f"no process can be kept on CPUs {sorted(cpus)}: of these, we may use {sorted(had)}")
