"""One load run: stacks come up, engines take turns, every load is written down when it is over.

A stack comes up right before its first load and stays up, idle, while others have their turn; what the idle
ones cost is measured in every load and stored beside it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bakeoff_bench.crash.contestants import Contestant
from bakeoff_bench.load.folder import LoadFolder, store_samples, store_usage
from bakeoff_bench.load.measured import Measured, least_patience_s
from bakeoff_bench.load.order import LoadOrder
from bakeoff_bench.load.plan import USERS, Block, LoadPlan
from bakeoff_bench.load.play import ORDER, play
from bakeoff_bench.load.search import Sustained, search
from bakeoff_bench.load.stage import Stage, staged
from bakeoff_bench.meter import cpu_seconds, history_cost
from bakeoff_bench.run.folder import keep_worlds, remove_servers_data
from bakeoff_bench.run.left import LEFT, left_of
from bakeoff_bench.significance import rounds_for

#: A closed loop is given sagas for so many per second, far more than any engine here does.
_MOST_PER_S = 400
#: Sagas whose event histories are looked at.
_LOOKED_AT = 40
#: Seconds; nobody waits for a longer lease.
_LONGEST_LEASE_S = 120.0
#: Where the search begins, as a share of what the closed loop reached.
_FIRST_SHARE = 0.8

Tell = Callable[[str], None]


async def conduct(plan: LoadPlan, folder: LoadFolder, manifest: dict[str, Any], tell: Tell) -> None:
    """Run everything; what was measured is in the folder at any time.

    Args:
        plan: What to do.
        folder: Where it is written down.
        manifest: As it is in the folder; versions and what the search finds are added.
        tell: A line of progress.

    Raises:
        UsageError, ServerStartError, BakeoffError: If a stack does not come up, or a generator fails.
    """
    run = _Run(plan, folder, manifest, tell)
    try:
        async with AsyncExitStack() as stacks:
            try:
                if plan.measures_throughput_first:
                    for one in plan.contestants:
                        await run.find_speed(one, stacks)
                rounds = await run.find_rounds(stacks) if plan.pilot else plan.rounds
                await run.make(rounds, stacks)
                await run.count_events()
                manifest["complete"] = True
            finally:
                tell("stopping servers and workers ...")
                run.keep_ledgers()
    finally:  # also after Ctrl-C: what was recorded can be judged, and holds no credentials
        for one in plan.contestants:
            if folder.contestant(one.slug).exists():
                remove_servers_data(folder.contestant(one.slug), ("logs", "loads"))
        folder.write_manifest(manifest)


class _Run:
    def __init__(self, plan: LoadPlan, folder: LoadFolder, manifest: dict[str, Any], tell: Tell) -> None:
        self._plan = plan
        self._folder = folder
        self._manifest = manifest
        self._tell = tell
        self._stages: dict[str, Stage] = {}
        self._speed: dict[str, float] = {}
        self._number = 0
        self._began_s = time.monotonic()

    async def find_speed(self, one: Contestant, stacks: AsyncExitStack) -> None:
        """What a closed loop reaches; then, if that is wanted, the rate that is sustained."""
        plan, about = self._plan, self._manifest["contestants"][one.label]
        closed = Block(name=f"{USERS} in flight", users=USERS)
        measured = await self._play(one, closed, 0.0, "throughput", 0, stacks)
        self._speed[one.label] = measured.settled_per_s
        about["throughput_per_s"] = measured.settled_per_s
        if not plan.search:
            return

        async def probe(rate: float) -> Measured:
            return await self._play(one, Block(name=f"{rate:.3g}/s", rate=rate), rate, "search", 0, stacks)

        found: Sustained = await search(probe, _FIRST_SHARE * measured.settled_per_s, plan.slo_s)
        about["sustained"] = found.to_json()
        self._folder.write_manifest(self._manifest)
        self._speed[one.label] = found.rate_per_s or 0.0

    async def find_rounds(self, stacks: AsyncExitStack) -> int:
        """As many as it takes to see a difference of 10 % between any two, by a pilot that does not count."""
        plan = self._plan
        closed = Block(name=f"{USERS} in flight", users=USERS)
        rates: dict[str, list[float]] = {one.label: [] for one in plan.contestants}
        for number in range(plan.pilot):
            for one in plan.turns(number):
                measured = await self._play(one, closed, 0.0, "pilot", number, stacks)
                rates[one.label].append(measured.settled_per_s)
        if len(rates) < 2:
            return plan.rounds
        found = rounds_for(rates)
        self._manifest["pilot"] = {**asdict(found), "rates": rates}
        self._folder.write_manifest(self._manifest)
        # Where the most that is allowed does not do, hours more would buy nothing that was asked for.
        enough = "" if found.enough else f", which is not enough for 10 %: {plan.rounds} are made"
        self._tell(f"pilot: {found.rounds} rounds resolve {found.resolves:.0%}{enough}")
        return found.rounds if found.enough else plan.rounds

    async def make(self, rounds: int, stacks: AsyncExitStack) -> None:
        """So many rounds, or as many of them as there is time for; always whole ones."""
        plan, longest_s = self._plan, 0.0
        for number in range(rounds):
            began_s = time.monotonic()
            if not plan.fits(number, began_s - self._began_s, longest_s):
                self._tell(f"{number} of {rounds} rounds: one more would not be over in time (--within)")
                self._manifest["rounds_in_time"] = {
                    "made": number,
                    "planned": rounds,
                    "within_s": plan.within_s,
                }
                return
            for one in plan.turns(number):
                for block in plan.blocks:
                    await self._block(one, block, number, stacks)
            longest_s = max(longest_s, time.monotonic() - began_s)

    async def _block(self, one: Contestant, block: Block, number: int, stacks: AsyncExitStack) -> None:
        """One load of one round."""
        rate = block.rate or block.share * self._speed.get(one.label, 0.0)
        if block.share and not rate:
            return  # nothing was sustained, so there is no share of it
        await self._play(one, block, rate, "round", number, stacks)

    async def _play(
        self, one: Contestant, block: Block, rate: float, phase: str, number: int, stacks: AsyncExitStack
    ) -> Measured:
        plan, stage = self._plan, await self._stage(one, stacks)
        self._number += 1
        label = f"{phase[0]}{self._number:04d}"
        fault = plan.fault if phase == "round" and not block.users else None
        # Whoever is left behind must have had the time that the engine's settings say.
        lease_s = min(one.lease_s or 0.0, _LONGEST_LEASE_S)
        seconds = plan.seconds_at(rate) if phase == "search" else plan.seconds
        order = LoadOrder(
            deployment="",
            saga=plan.saga.name,
            load=plan.load.name,
            rate=rate,
            seconds=seconds,
            process=plan.process,
            seed=plan.seed,
            arrival_seed=plan.seed + number,
            label=label,
            users=block.users,
            sagas=round(plan.seconds * _MOST_PER_S) if block.users else 0,
            patience_s=max(plan.patience_s, least_patience_s(lease_s)),
            shape=plan.shape if not block.users else "",
        )
        folder = self._folder.load(one.slug, label)
        others = [other.stack for other in self._stages.values() if other is not stage]
        idle_before_s = cpu_seconds(others)
        where = f"{one.label}, {block.name}"
        self._tell(f"{where}: {'closed loop' if block.users else f'{rate:.3g}/s'}, {seconds:.3g} s")
        began_s = time.monotonic()
        played = await play(
            stage,
            order,
            folder,
            warm_up_s=plan.warm_up_s,
            fault=fault,
            lease_s=one.lease_s or 0.0,
        )
        await asyncio.to_thread(stage.keep, played.started, played.histories)
        await asyncio.to_thread(store_samples, folder, played.samples)
        await asyncio.to_thread(store_usage, folder, played.usage)
        _tidy(folder, order)
        measured = played.measured
        self._folder.append(
            {
                "contestant": one.label,
                "phase": phase,
                "block": block.name,
                "round": number,
                "rate": rate,
                "users": block.users,
                "label": label,
                "took_s": time.monotonic() - began_s,
                "idle_others_cpu_s": cpu_seconds(others) - idle_before_s,
                "measured": measured.to_json(),
            }
        )
        for problem in (*measured.void, *measured.reasons):
            self._tell(f"{where}: {problem}")
        return measured

    async def _stage(self, one: Contestant, stacks: AsyncExitStack) -> Stage:
        if one.label not in self._stages:
            plan = self._plan
            self._tell(f"starting {one.label} ...")
            began_s = time.monotonic()
            stage = await stacks.enter_async_context(
                staged(
                    one.chosen,
                    plan.load,
                    plan.saga,
                    plan.references,
                    self._folder.contestant(one.slug),
                    seed=plan.seed,
                    workers=plan.workers,
                    slots=plan.slots,
                    ledger=plan.ledger,
                    prefix=plan.prefix,
                    faults=plan.fault is not None,
                    cpus=plan.cpus,
                    bridge=plan.bridge,
                    otlp=plan.otlp,
                )
            )
            about = self._manifest["contestants"][one.label]
            about["ready_s"] = time.monotonic() - began_s
            about["versions"] = stage.stack.versions()
            about[LEFT] = left_of(stage.stack.deployment)
            self._folder.write_manifest(self._manifest)
            self._stages[one.label] = stage
        return self._stages[one.label]

    async def count_events(self) -> None:
        """What the engines that keep an event history wrote down, and would be billed for, per saga."""
        for label, stage in self._stages.items():
            cost = await history_cost(stage.stack.client, stage.settled[-_LOOKED_AT:])
            if cost is not None:
                about = cost.to_json()
                del about["sagas"]
                self._manifest["contestants"][label]["history"] = {**about, "looked_at": len(cost.sagas)}

    def keep_ledgers(self) -> None:
        """A ledger that is no file of the run folder is copied into one."""
        keep_worlds((one.stack.world.engine, one.folder / "world.db") for one in self._stages.values())


def _tidy(folder: Path, order: LoadOrder) -> None:
    """Remove what is in ``samples.parquet`` and in the contestant's history now, and where it all lay."""
    order.write(folder / ORDER)
    for name in ("samples.jsonl", "history.jsonl", "began.json"):
        (folder / name).unlink(missing_ok=True)
