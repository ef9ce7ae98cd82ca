"""The loads of one Locust, one after the other on one engine: prepared, struck, and summed up."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bakeoff.checkers import Planned
from bakeoff.cli.screen import say
from bakeoff_bench.crash.contestants import Contestant
from bakeoff_bench.load.folder import store_samples
from bakeoff_bench.load.gathered import Gathered, began_first_s, gather, in_one_clock, measure_all, pooled
from bakeoff_bench.load.generator.sample import Sample
from bakeoff_bench.load.histograms import Histograms
from bakeoff_bench.load.locust_words import say_fault, say_load, say_numbers
from bakeoff_bench.load.measured import stuck_in
from bakeoff_bench.load.order import LoadOrder
from bakeoff_bench.load.play import about_fault
from bakeoff_bench.load.stage import Stage
from bakeoff_bench.load.strike import Strike, Struck, strike
from bakeoff_bench.load.wanted import Wanted
from bakeoff_bench.run.manifest import tier
from bakeoff_scenarios import Arrival

_POLL_S = 0.1


@dataclass(slots=True, kw_only=True)
class Load:
    """A load that is on, or was broken off.

    Attributes:
        order, arrivals: What is to be done.
        before: Last record before it.
        left: Sagas of an earlier load that had still not settled when it began.
        striking: What is done in its middle.
    """

    order: LoadOrder
    arrivals: Sequence[Arrival]
    before: int
    left: int
    striking: asyncio.Task[Struck] | None = None

    @property
    def folder(self) -> Path:
        """Where its generators write."""
        return Path(self.order.folder)

    def plans(self) -> dict[str, Planned]:
        """``{workflow id: plan}``."""
        return {one.planned.workflow_id: one.planned for one in self.arrivals}


@dataclass(slots=True, kw_only=True)
class LocustLoads:
    """What one Locust does to an engine.

    Attributes:
        stage: The engine.
        wanted: What was asked for.
        one: Its name and settings.
        fault: What strikes in the middle of each load.
        number: Loads so far.
        broken_off: Those that did not come to their end; they are not in the stage's plan yet.
        void: Whether one says nothing about the engine.
        overloaded: Whether more came than could be done in one, and ``stuck``: whether sagas were lost.
    """

    stage: Stage
    wanted: Wanted
    one: Contestant
    fault: Strike | None
    number: int = 0
    broken_off: list[Load] = field(default_factory=list)
    void: bool = False
    overloaded: bool = False
    stuck: bool = False
    _load: Load | None = None

    async def prepare(self) -> LoadOrder:
        """Make the next load known to the services; it begins when its first generator says so."""
        left = await self.stage.drained()
        self.number += 1
        order = replace(
            self.wanted.order(self.number, self.one.lease_s or 0.0),
            deployment=str(self.stage.stack.deployment_file),
        )
        arrivals = await asyncio.to_thread(self.stage.prepare, order)
        before = self.stage.stack.world.ledger_end()
        self._load = Load(order=order, arrivals=arrivals, before=before, left=left)
        if self.fault is not None:
            self._load.striking = asyncio.create_task(self._strike(self.fault, self._load))
        return order

    async def sum_up(self) -> None:
        """Say what the load came to that is on.

        Raises:
            ServerStartError: If a process of the engine has died meanwhile, and was not killed.
        """
        load, self._load = self._load, None
        if load is None:
            return
        struck = await self._struck(load)
        if (failure := self.stage.stack.failure) is not None:
            raise failure
        parts = await asyncio.to_thread(gather, load.folder)
        say_load(self.number, self.one.label, load.order, parts)
        found = await asyncio.to_thread(measure_all, parts, load.order, self.wanted.warm_up_s)
        samples = pooled(parts)
        if found is None:
            # Some of its sagas are under way, and perhaps not even known: they are judged at the end.
            self._leave_open(load, samples)
            self.broken_off.append(load)
            say("it did not come to its end, so there are no numbers; the ledger is judged all the same")
            return
        numbers, histograms = found
        self._remember(load, parts, samples, numbers)
        about = _fault_of(self.fault, struck, parts)
        void = list(numbers["void"])
        void += [f"the fault did not strike: {why}"] if (why := about.get("missed")) else []
        void += [f"{load.left} sagas of an earlier load were still open"] if load.left else []
        self.void = self.void or bool(void)
        say_numbers(numbers, self.wanted.warm_up_s)
        if about:
            say_fault(about)
        for why in void:
            say(f"void: {why}", style="yellow")
        if self.wanted.out:
            self._keep(parts, histograms, {**numbers, "void": void, "fault": about})

    async def _strike(self, fault: Strike, load: Load) -> Struck:
        while (began_s := began_first_s(load.folder)) is None:
            await asyncio.sleep(_POLL_S)
        return await strike(self.stage.stack, fault, load.arrivals, began_s)

    async def _struck(self, load: Load) -> Struck:
        """What became of the fault; one that is armed waits for its saga and heals, another is called off."""
        if load.striking is None or self.fault is None:
            return Struck()
        began_s = began_first_s(load.folder)
        if began_s is not None and time.monotonic() >= began_s + self.fault.after_s:
            return await load.striking
        load.striking.cancel()
        await asyncio.gather(load.striking, return_exceptions=True)
        return Struck(missed="the load was over before the fault was armed")

    def _remember(
        self, load: Load, parts: Sequence[Gathered], samples: Sequence[Sample], numbers: Mapping[str, Any]
    ) -> None:
        """For the verdict: what was started, what is still open, and whether that is anybody's fault."""
        plans = load.plans()
        started = {one.workflow_id: plans[one.workflow_id] for one in samples if one.sent_s is not None}
        stuck = stuck_in(samples, numbers["effort"].seconds, self.one.lease_s or 0.0)
        self.stuck = self.stuck or bool(stuck)
        self.overloaded = self.overloaded or not numbers["kept_up"]
        if not stuck:
            self._leave_open(load, samples)
        self.stage.keep(started, [part.history for part in parts if part.history is not None])

    def _leave_open(self, load: Load, samples: Sequence[Sample]) -> None:
        """The next load waits for those that may still settle.

        What runs in a generator has ended with it, and so has whoever was to approve.
        """
        if self.stage.stack.info.in_process:
            return
        left = {one.workflow_id for one in samples if one.accepted_s is not None and one.settled_s is None}
        self.stage.open.update(
            {
                one.planned.workflow_id: one.planned
                for one in load.arrivals
                if one.planned.workflow_id in left and not one.signals
            }
        )

    def _keep(self, parts: Sequence[Gathered], histograms: Histograms, numbers: Mapping[str, Any]) -> None:
        """Samples, histograms and numbers of one load, where the user wants them."""
        folder = Path(self.wanted.out) / f"load-{self.number}"
        for part in parts:
            own = folder / f"generator-{part.number}"
            own.mkdir(parents=True)
            store_samples(own, part.samples)
        histograms.store(folder)
        efforts = [None if part.effort is None else part.effort.to_json() for part in parts]
        measured = {**self._about(), **numbers, "effort": efforts}
        (folder / "measured.json").write_text(json.dumps(measured, indent=2) + "\n")

    def _about(self) -> dict[str, Any]:
        """What belongs beside every number of a contestant."""
        info, settings = self.stage.stack.info, self.one.settings
        return {
            "contestant": self.one.label,
            "note": info.note,
            "durability": tier(info.survives),
            "versions": self.stage.stack.versions(),
            "settings": {**settings.shown(), **settings.shown_raw()},
        }


def _fault_of(fault: Strike | None, struck: Struck, parts: Sequence[Gathered]) -> dict[str, Any]:
    """As a load of ``bakeoff load`` has it; it hit all generators at the same moment."""
    began = [part.began_s for part in parts if part.began_s is not None]
    samples = in_one_clock(parts, min(began)) if began else []
    return about_fault(fault, struck, samples, min(began)) if samples else {}
