"""What the batches of one engine's part come to, and how it adds up; in several processes for a long one."""

from __future__ import annotations

import gc
import math
import os
import pickle
import sys
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

from bakeoff.checkers import (
    Evidence,
    Totals,
    Verdict,
    duplicates_attempted,
    duplicates_planned,
    held_by_unfinished,
    judge,
    observe,
    totals_of,
)
from bakeoff.errors import BakeoffError
from bakeoff.processes import Child, Launch, Launcher
from bakeoff_bench.run.batches import Sorted

#: Fewer batches than this for each process are not worth the second that its start takes.
_WORTH_A_PROCESS = 4
_MOST_PROCESSES = 4


@dataclass(slots=True)
class Times:
    """Rates and latencies of a closed loop: they show the order of magnitude, not the capacity.

    Orders that are cancelled (or refused, where an engine cannot cancel) are no equal work and do not count.
    """

    settled: int = 0
    latencies: dict[str, array[float]] = field(
        default_factory=lambda: {"completed": array("d"), "compensated": array("d")}
    )

    def __add__(self, other: Times) -> Times:
        """Of both."""
        both = {fate: values + other.latencies[fate] for fate, values in self.latencies.items()}
        return Times(self.settled + other.settled, both)

    def note(self, batch: Evidence) -> None:
        """Take what the client saw of these sagas."""
        started: dict[str, float] = {}
        observed = observe(batch)
        for operation in batch.operations:
            planned = batch.planned.get(operation.workflow_id)
            if planned is not None and planned.note:
                continue
            if operation.name == "start":
                started.setdefault(operation.workflow_id, operation.invoked_at_s)
            elif operation.name == "settled" and operation.value and operation.completed_at_s is not None:
                self.settled += 1
                one = observed.get(operation.workflow_id)
                kept = self.latencies.get(one.fate) if one is not None else None
                if kept is not None and operation.workflow_id in started:
                    kept.append(operation.completed_at_s - started[operation.workflow_id])

    def indicative(self, blocks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Rates and percentiles over these blocks."""
        seconds = sum(block["seconds"] for block in blocks)
        return {
            "loop": "closed",
            "sagas_per_s": self.settled / seconds if seconds else None,
            "seconds": seconds,
            "deployment_cpu_s": sum(block["deployment_cpu_s"] for block in blocks),
            "harness_cpu_s": sum(block["harness_cpu_s"] for block in blocks),
            "idle_others_cores": sum(block["idle_others_cpu_s"] for block in blocks) / seconds
            if seconds
            else None,
            **{
                status: {
                    "sagas": len(values),
                    "p50_s": percentile(values, 0.50),
                    "p95_s": percentile(values, 0.95),
                }
                for status, values in self.latencies.items()
            },
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """Over some sagas of one engine's part.

    Attributes:
        verdicts: Of every checker.
        totals: For what only the whole run can tell.
        times: What the client saw.
        holding: ``{workflow id: steps}`` that unfinished sagas hold.
        counted: ``attempted`` and ``planned`` duplicates, and sagas by their note.
    """

    verdicts: tuple[Verdict, ...] = ()
    totals: Totals = field(default_factory=Totals)
    times: Times = field(default_factory=Times)
    holding: Mapping[str, list[str]] = field(default_factory=dict)
    counted: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: Sum) -> Sum:
        """Over the sagas of both."""
        own, others = self.verdicts, other.verdicts
        return Sum(
            verdicts=tuple(map(add, own, others)) if own and others else own or others,
            totals=self.totals + other.totals,
            times=self.times + other.times,
            holding={**self.holding, **other.holding},
            counted=self.counted + other.counted,
        )


def sum_of(batch: Evidence) -> Sum:
    """Judge one batch."""
    times = Times()
    verdicts = judge(batch)
    times.note(batch)
    counted = Counter(planned.note for planned in batch.planned.values())
    counted["attempted"], counted["planned"] = duplicates_attempted(batch), duplicates_planned(batch)
    return Sum(
        verdicts=verdicts,
        totals=totals_of(batch),
        times=times,
        holding=held_by_unfinished(batch),
        counted=counted,
    )


def sum_over(ready: Sorted, numbers: Iterable[int]) -> Sum:
    """Judge some batches, one after the other."""
    with _uncollected():
        return reduce(add, map(sum_of, ready.read(numbers)), Sum())


def sum_of_all(ready: Sorted) -> Sum:
    """Judge every batch: here, or a share of them in each of several processes.

    Raises:
        UsageError: If a file is broken.
        BakeoffError: If a process that judges dies.
    """
    processes = min(os.cpu_count() or 1, _MOST_PROCESSES, ready.count // _WORTH_A_PROCESS)
    if processes < 2:
        return sum_over(ready, range(ready.count))
    shares = [
        range(ready.count * n // processes, ready.count * (n + 1) // processes) for n in range(processes)
    ]
    folder = ready.index.parent
    with Launcher(folder / "logs") as launcher:
        children = []
        for number, share in enumerate(shares):
            file = folder / f"share-{number}"
            file.write_bytes(pickle.dumps((ready, share)))
            launch = Launch(
                argv=[sys.executable, "-m", "bakeoff_bench.run.share", str(file)], stop_within_s=0
            )
            children.append((launcher.start(f"judge-{number}", launch), file))
        return reduce(add, [_answer(child, file) for child, file in children])


def _answer(child: Child, file: Path) -> Sum:
    if child.popen.wait():
        raise BakeoffError(f"{child.name} ended with code {child.popen.returncode}:\n{child.log_tail()}")
    answer = pickle.loads(file.read_bytes())  # of our own child, from our own folder
    if isinstance(answer, BakeoffError):
        raise answer
    assert isinstance(answer, Sum)
    return answer


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the collector of cycles: evidence has none, and walking all of it is a quarter of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def percentile(values: Sequence[float], share: float) -> float | None:
    """Nearest-rank percentile; ``None`` without values."""
    if not values:
        return None
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]
