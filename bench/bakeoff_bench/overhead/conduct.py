"""All rounds of one contestant: both sides in turns on the same servers, the ceiling, the generator."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from bakeoff.stack import StackPlan, running_backend
from bakeoff_bench.crash.contestants import Contestant
from bakeoff_bench.overhead.ceiling import world_rate
from bakeoff_bench.overhead.compare import TARGETS, Pair, Target, compare, judge
from bakeoff_bench.overhead.differences import differences
from bakeoff_bench.overhead.sides import ADAPTER, NATIVE, sides_of
from bakeoff_bench.overhead.turn import (
    IN_FLIGHT,
    SAGAS,
    Round,
    fill_shelves,
    make_ids,
    running_client,
    take_round,
)

#: A generator that cannot offer so many times what the engine takes measures itself.
GENERATOR_FACTOR = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was measured of one contestant.

    Attributes:
        rounds: Of both sides.
        ceilings: Of the World alone, orders per second, one per round.
        writers: ``(processes, threads)`` of the ceiling.
        versions: Of SDKs and servers.
        offered_per_s: Starts per second of one client process with workers off; ``None`` where the sagas run
            in the client's process, and before it was looked at.
        differences: ``(setting, adapter, native)`` of what differs.
        note: Belongs beside every rate; often empty.
        whole: Whether all rounds were made, and what comes behind them was looked at.
    """

    label: str
    rounds: Sequence[Round]
    ceilings: Sequence[float]
    writers: tuple[int, int]
    versions: Mapping[str, str]
    offered_per_s: float | None = None
    differences: Sequence[tuple[str, str, str]] = ()
    note: str = ""
    whole: bool = False

    def pairs(self, saga: str, quantity: str) -> list[Pair]:
        """``(adapter, native)`` of every round."""
        return [
            (getattr(one[ADAPTER][saga], quantity), getattr(one[NATIVE][saga], quantity))
            for one in self.rounds
        ]

    @property
    def ceiling_per_s(self) -> float:
        """Median of the World alone."""
        return statistics.median(self.ceilings)

    def to_json(self) -> dict[str, Any]:
        """Everything, with the comparisons that follow from it."""
        data = asdict(self) | {"ceiling_per_s": self.ceiling_per_s}
        data["comparisons"] = {
            saga: {target.name: _compared(self.pairs(saga, target.name), target) for target in TARGETS}
            for saga in SAGAS
        }
        return data


def _compared(pairs: Sequence[Pair], target: Target) -> dict[str, Any]:
    """The ratio and what it says, with the medians of both sides."""
    found = compare(pairs)
    adapter, native = (statistics.median(values) for values in zip(*pairs, strict=True))
    said = {"adapter": adapter, "native": native, "target": str(target), "word": str(judge(found, target))}
    return {**asdict(found), **said}


async def measure(
    one: Contestant,
    folder: Path,
    *,
    rounds: int,
    sagas: int,
    slots: int,
    tell: Callable[[int], None],
    keep: Callable[[Measured], None],
) -> Measured:
    """Bring the servers of one contestant up once and let its two sides take turns; neither is always first.

    Args:
        one: The contestant.
        folder: For its servers and logs.
        rounds: How often both sides have their turn.
        sagas: As ``take_round`` takes them.
        slots: Of the worker of each side.
        tell: Called before each round with the number of those made.
        keep: Called after each round with what was measured so far: the next one may be broken off.

    Raises:
        UsageError: If it has no native.
        BakeoffError: If a side failed, with what it said.
    """
    plan = StackPlan(engine=one.engine, settings=one.settings, folder=folder, slots=slots)
    found: list[Round] = []
    ceilings: list[float] = []
    offered = None
    note = one.engine.info(one.settings).note
    async with running_backend(plan) as backend:
        adapter, native = sides_of(backend)
        fill_shelves(backend)
        for number in range(rounds):
            first, second = (adapter, native) if number % 2 == 0 else (native, adapter)
            tell(number)
            found.append(await take_round(backend, first, second, str(number), sagas))
            ids = make_ids(
                backend, "order", f"world{number}", sagas + adapter.writers[0] * adapter.writers[1]
            )
            processes, threads = adapter.writers[0], min(adapter.writers[1], IN_FLIGHT)
            ceilings.append(
                await asyncio.to_thread(world_rate, backend.deployment.world_url, ids, processes, threads)
            )
            measured = Measured(
                label=one.label,
                rounds=tuple(found),
                ceilings=tuple(ceilings),
                writers=adapter.writers,
                versions=backend.versions(),
                note=note,
            )
            keep(measured)
        told = await differences(backend, adapter, native)
        if adapter.worker is not None:
            watchdog = backend.launcher.watchdog
            async with running_client(adapter, folder / "generator.log", watchdog) as client:
                await client.ask("start", make_ids(backend, "noop", "warm", IN_FLIGHT), IN_FLIGHT)
                answer = await client.ask("start", make_ids(backend, "noop", "offered", sagas), IN_FLIGHT)
                offered = sagas / answer["elapsed_s"]
    return replace(measured, offered_per_s=offered, differences=told, whole=True)
