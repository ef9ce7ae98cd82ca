"""What one run is to do, decided before anything starts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bakeoff.bridge.bridges import NO_BRIDGE, ChosenBridge
from bakeoff.cli.options import ChosenEngine
from bakeoff.engine import Capability, EngineInfo
from bakeoff.orders.loader import OrderBook
from bakeoff.saga import Saga
from bakeoff.world.world import Participants
from bakeoff_bench.run.duration import block_seconds
from bakeoff_scenarios import Request, Scenario, Workload, lacking


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """The whole run.

    Attributes:
        engines: Contestants, in the order of their first block.
        saga, references: The saga, and what workers load for it.
        scenario: How orders become sagas.
        book: The orders.
        seed: Of everything that is drawn.
        rounds: Blocks per engine; engines take turns.
        concurrency: Sagas in flight per engine.
        workers, slots: Workers per engine, steps at once in each.
        ledger: ``sqlite``, ``postgres`` or a database URL.
        participants: ``idempotent`` or ``naive``.
        bridge: Between steps and services.
        prefix: Of all names on servers that we did not start.
        otlp: Receiver of spans.
    """

    engines: Sequence[ChosenEngine]
    saga: Saga
    references: tuple[str, ...]
    scenario: Scenario
    book: OrderBook
    seed: int
    rounds: int
    concurrency: int
    workers: int
    slots: int
    ledger: str
    participants: Participants
    prefix: str
    bridge: ChosenBridge = NO_BRIDGE
    otlp: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """One engine with its workload, or with the capabilities that it lacks for this saga."""

    chosen: ChosenEngine
    info: EngineInfo
    workload: Workload | None
    lacking: dict[Capability, str]


def contestants(plan: RunPlan) -> list[Contestant]:
    """Every engine of the plan with its workload; in-process engines first, they are ready at once."""
    found = []
    for chosen in plan.engines:
        info = chosen.engine.info(chosen.settings)
        missing = lacking(plan.saga, info, plan.scenario.needs)
        workload = None
        if not missing:
            workload = plan.scenario.make(
                Request(saga=plan.saga, orders=plan.book.orders, seed=plan.seed, info=info)
            )
        found.append(Contestant(chosen=chosen, info=info, workload=workload, lacking=missing))
    return sorted(found, key=lambda one: not one.info.in_process)


def turns(count: int, rounds: int) -> Iterator[tuple[int, int]]:
    """``(round, contestant)``: interleaved, each round begins with another contestant."""
    for number in range(rounds):
        for offset in range(count):
            yield number, (number + offset) % count


def block(workload: Workload, number: int, rounds: int) -> slice:
    """Which assignments belong to round ``number``: equal parts in the order of the plan."""
    total = len(workload.assignments)
    return slice(total * number // rounds, total * (number + 1) // rounds)


def expected_seconds(plan: RunPlan, contestants: Sequence[Contestant]) -> float:
    """A rough duration, to be told before the start; measured speeds come afterwards."""
    return sum(
        block_seconds(
            plan.saga,
            [assignment.planned for assignment in one.workload.assignments],
            in_process=one.info.in_process,
            concurrency=plan.concurrency,
            rounds=plan.rounds,
        )
        for one in contestants
        if one.workload is not None
    )
