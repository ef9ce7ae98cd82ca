"""One engine brought up for loads, the orders of each load made known to it, and the ledger judged."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bakeoff.bridge.bridges import NO_BRIDGE, ChosenBridge
from bakeoff.checkers import CHECKERS, Evidence, Planned, Shape, Validity, judge, merge, settled_by_plan
from bakeoff.cli.options import ChosenEngine
from bakeoff.engine import Capability, Support
from bakeoff.history import read_history
from bakeoff.processes import Launcher, Split
from bakeoff.saga import Saga
from bakeoff.stack import Stack, StackPlan, running_stack
from bakeoff_bench.load.histories import Histories
from bakeoff_bench.load.order import LoadOrder, baskets
from bakeoff_scenarios import Arrival, LoadScenario, profile_of, shelves

#: Conservation is a sum over everything that ever happened in a world: it is judged once, at the end.
_OF_THE_WHOLE = "I1"
#: Seconds until what an overload left behind must be done, before the next load.
_DRAIN_S, _LOOK_S = 120.0, 0.2
#: Findings that a verdict repeats.
_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The ledger's verdict on the sagas of one load.

    Attributes:
        validity: Of all invariants together.
        reasons: What is wrong, or not known.
    """

    validity: Validity
    reasons: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Stage:
    """A running engine whose world knows the orders of one load after the other.

    Attributes:
        stack: The engine.
        saga: What arrives.
        folder: Of this engine.
        stock: ``{stock code: units}`` on the shelves at the start.
        generators: Starts those who make the load, on CPUs of their own.
        counts: ``{status: sagas}`` that must come out of all loads so far.
        open: ``{workflow id: plan}`` of those that had not settled when their load was over, and still may.
        settled: Workflow ids of those that had.
    """

    stack: Stack
    saga: Saga
    folder: Path
    stock: Mapping[str, int]
    generators: Launcher
    counts: Counter[str] = field(default_factory=Counter)
    open: dict[str, Planned] = field(default_factory=dict)
    settled: list[str] = field(default_factory=list)
    _histories: Histories = field(init=False)

    def __post_init__(self) -> None:
        self._histories = Histories(self.folder / "history.jsonl")

    async def drained(self) -> int:
        """Wait until the sagas that earlier loads left open have settled; return how many have not."""
        deadline_s = time.monotonic() + _DRAIN_S
        while self.open and time.monotonic() < deadline_s:
            await asyncio.to_thread(self._look_at_open, until_one_is=True)
            await asyncio.sleep(_LOOK_S)
        await asyncio.to_thread(self._look_at_open, until_one_is=False)
        return len(self.open)

    def _look_at_open(self, *, until_one_is: bool) -> None:
        """Forget those that have settled; at best in the order of their arrival, so the first one tells."""
        for workflow_id, planned in list(self.open.items()):
            records = self.stack.world.ledger(workflow_id=workflow_id)
            if settled_by_plan(planned.expected, records):
                del self.open[workflow_id]
            elif until_one_is:
                return

    def prepare(self, order: LoadOrder) -> list[Arrival]:
        """Make a load's orders and fates known; return its sagas."""
        arrivals = order.arrivals(self.saga)
        world = self.stack.world
        world.add_orders([one.order for one in arrivals])
        for one in arrivals:
            if one.fates is not None:
                world.set_fate(one.planned.workflow_id, one.fates)
        return arrivals

    def judge(
        self, started: Mapping[str, Planned], histories: Sequence[Path], after: int, faults: bool
    ) -> Judged:
        """Judge the sagas of one load by the records and answers of its time.

        Args:
            started: ``{workflow id: plan}`` of those that were sent.
            histories: Of the generators.
            after: Last record before the load.
            faults: Whether processes were killed on purpose.
        """
        claim = self.stack.info.claims[Capability.OUTCOME]
        evidence = Evidence(
            engine=self.stack.engine.name,
            shape=Shape.of(self.saga),
            planned=started,
            counts=Counter(str(one.expected.status) for one in started.values()),
            ledger=[r for r in self.stack.world.ledger(after=after) if r.workflow_id in started],
            operations=[
                one for file in histories for one in read_history(file) if one.workflow_id in started
            ],
            silent=claim.reason if claim.support is Support.ABSENT else "",
            engine_faults=faults,
        )
        verdicts = judge(evidence, {k: one for k, one in CHECKERS.items() if k != _OF_THE_WHOLE})
        bad = [one for one in verdicts if one.validity in (Validity.INVALID, Validity.UNKNOWN)]
        return Judged(
            validity=merge([one.validity for one in verdicts]),
            reasons=tuple(
                f"{one.invariant}, {one.title}: {one.reason}; {'; '.join(one.findings[:_SHOWN])}".rstrip("; ")
                for one in bad
            ),
        )

    def keep(self, started: Mapping[str, Planned], histories: Sequence[Path]) -> None:
        """Add a load to what the whole run is judged by: plan and history of this engine."""
        self.counts.update(str(one.expected.status) for one in started.values())
        with (self.folder / "plan.jsonl").open("a", encoding="utf-8") as file:
            for one in started.values():
                file.write(json.dumps(one.to_json(), separators=(",", ":")) + "\n")
        about = {"stock": dict(self.stock), "counts": dict(self.counts), "notes": []}
        (self.folder / "workload.json").write_text(json.dumps(about) + "\n")
        self._histories.append(histories)


@asynccontextmanager
async def staged(
    chosen: ChosenEngine,
    load: LoadScenario,
    saga: Saga,
    references: tuple[str, ...],
    folder: Path,
    *,
    seed: int,
    workers: int,
    slots: int,
    ledger: str,
    prefix: str,
    faults: bool,
    cpus: Split | None = None,
    bridge: ChosenBridge = NO_BRIDGE,
    otlp: str | None = None,
) -> AsyncIterator[Stage]:
    """Bring an engine up for loads.

    Raises:
        UsageError, ServerStartError: If it does not come up; nothing is left behind.
    """
    plan = StackPlan(
        engine=chosen.engine,
        settings=chosen.settings,
        folder=folder,
        sagas=references,
        profile=profile_of(load, saga, seed),
        workers=workers,
        slots=slots,
        ledger=ledger,
        prefix=prefix,
        faults=faults,
        bridge=bridge,
        otlp=otlp,
        cpus=None if cpus is None else cpus.deployment,
    )
    generators = Launcher(folder / "logs", None if cpus is None else cpus.generator)
    async with running_stack(plan) as stack:
        stock = shelves(baskets())
        await asyncio.to_thread(stack.world.set_stock, stock)
        with generators:
            yield Stage(
                stack=stack,
                saga=stack.sagas[saga.name],
                folder=folder,
                stock=stock,
                generators=generators,
            )
