"""The contestants of a load run: all are up, one plays, the others stand still.

All come up before the first load, so that none is measured beside fewer others than the next. What those who
stand still used all the same is measured in every load and stored beside it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from bakeoff_bench.crash.contestants import Contestant
from bakeoff_bench.load.folder import LoadFolder, store_samples, store_usage
from bakeoff_bench.load.machine_speed import MachineSpeed, nearer_to_usual, unusual
from bakeoff_bench.load.measured import Measured, least_patience_s
from bakeoff_bench.load.order import LONGEST_LEASE_S, MOST_PER_S, LoadOrder
from bakeoff_bench.load.pace import Pace
from bakeoff_bench.load.plan import CHECK, Block, LoadPlan
from bakeoff_bench.load.play import ORDER, play
from bakeoff_bench.load.stage import Stage, staged
from bakeoff_bench.load.standstill import Standstill
from bakeoff_bench.meter import cpu_seconds
from bakeoff_bench.run.folder import keep_worlds
from bakeoff_bench.run.left import LEFT, left_of

Tell = Callable[[str], None]
#: A closed loop whose rate is known is given so many times as many sagas; one user's, so many per second.
_SURELY, _ONE_AT_A_TIME_PER_S = 2.0, 400.0


class Player:
    """Brings the contestants up and plays one load at a time.

    Attributes:
        stages: ``{label: what is up}``.
        pace: What loads take.
        speed: Of this machine.
        round_s: Seconds of the loads of rounds, where there is no time for those of the plan.
    """

    def __init__(self, plan: LoadPlan, folder: LoadFolder, manifest: dict[str, Any], tell: Tell) -> None:
        self._plan = plan
        self._folder = folder
        self._manifest = manifest
        self._tell = tell
        self._contestants = {one.label: one for one in plan.contestants}
        self._still = Standstill()
        self._number = 0
        self.stages: dict[str, Stage] = {}
        self.pace = Pace(plan=plan)
        self.speed = MachineSpeed(plan.cpus)
        self.round_s: float | None = None

    async def begin(self, stacks: AsyncExitStack) -> None:
        """Bring everybody up; they stand still until it is their turn.

        Raises:
            UsageError, ServerStartError: If one does not come up.
        """
        for one in self._plan.contestants:
            self.stages[one.label] = await self._up(one, stacks)
            self._rest(one.label)
        if self._undisturbed:
            await self.speed.get_to_know()

    def end(self) -> None:
        """Let all go on, so that they can end in order; copy a ledger that is no file of the folder."""
        self._still.all_go_on()
        keep_worlds((one.stack.world.engine, one.folder / "world.db") for one in self.stages.values())

    async def _up(self, one: Contestant, stacks: AsyncExitStack) -> Stage:
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
        return stage

    @contextmanager
    def turn_of(self, label: str) -> Iterator[Stage]:
        """It goes on; nobody else does."""
        self._still.go_on(label)
        try:
            yield self.stages[label]
        finally:
            self._rest(label)

    def _rest(self, label: str) -> None:
        """Until its next turn; where there is nobody else, there is nobody to disturb."""
        if len(self._contestants) > 1:
            self._still.stop(label, self.stages[label].stack)

    def order(self, label: str, rate: float, phase: str, number: int, users: int = 0) -> LoadOrder:
        """What a generator is told; each has a label, and orders, of its own."""
        plan, one = self._plan, self._contestants[label]
        self._number += 1
        seconds = plan.seconds_of(phase, rate, self.round_s)
        # Whoever is left behind must have had the time that the engine's settings say.
        lease_s = min(one.lease_s or 0.0, LONGEST_LEASE_S)
        return LoadOrder(
            deployment="",
            saga=plan.saga.name,
            load=plan.load.name,
            rate=rate,
            seconds=seconds,
            process=plan.process,
            seed=plan.seed,
            arrival_seed=plan.seed + number,
            label=f"{phase[0]}{self._number:04d}",
            users=users,
            sagas=round(seconds * self._most_per_s(label, phase)) if users else 0,
            patience_s=max(plan.patience_s, least_patience_s(lease_s)),
            shape=plan.shape if not users else "",
        )

    def _most_per_s(self, label: str, phase: str) -> float:
        """Of a closed loop; more of them are only written into the services' books, which takes its time."""
        if phase == CHECK:
            return _ONE_AT_A_TIME_PER_S
        # Of one saga at a time nothing follows: who polls an idle queue is many times as fast with 16.
        known = self._manifest["contestants"][label].get("throughput_per_s")
        return min(MOST_PER_S, _SURELY * known + _SURELY) if known else MOST_PER_S

    async def play(self, label: str, block: Block, rate: float, phase: str, number: int) -> Measured:
        """Play one load, and write down what came of it.

        Raises:
            BakeoffError: If the generator failed.
        """
        plan, one, stage = self._plan, self._contestants[label], self.stages[label]
        order = self.order(label, rate, phase, number, block.users)
        folder = self._folder.load(one.slug, order.label)
        others = [other.stack for name, other in self.stages.items() if name != label]
        idle_before_s = cpu_seconds(others)
        where = f"{label}, {block.name}"
        how = "closed loop" if block.users else f"{rate:.3g}/s"
        self._tell(f"{where}: {how}, {order.seconds:.3g} s")
        speed_before = await self._steady(where)
        began_s = time.monotonic()
        with self.turn_of(label):
            played = await play(
                stage,
                order,
                folder,
                warm_up_s=0.0 if phase == CHECK else plan.warm_up_s,
                fault=plan.fault if phase == "round" and not block.users else None,
                lease_s=one.lease_s or 0.0,
                undisturbed=self._undisturbed,
            )
        took_s, idle_s = time.monotonic() - began_s, cpu_seconds(others) - idle_before_s
        await asyncio.to_thread(stage.keep, played.started, played.histories)
        await asyncio.to_thread(store_samples, folder, played.samples)
        await asyncio.to_thread(store_usage, folder, played.usage)
        _tidy(folder, order)
        speed = nearer_to_usual(speed_before, await asyncio.to_thread(self.speed.look))
        measured = self._at_speed(played.measured, speed)
        self._folder.append(
            {
                "contestant": label,
                "phase": phase,
                "block": block.name,
                "round": number,
                "rate": rate,
                "users": block.users,
                "label": order.label,
                "took_s": took_s,
                "idle_others_cpu_s": idle_s,
                "measured": measured.to_json(),
            }
        )
        self._manifest["machine_speed"] = self.speed.to_json()
        self.pace.saw(label, time.monotonic() - began_s, order.seconds)
        for problem in (*measured.void, *measured.reasons):
            self._tell(f"{where}: {problem}")
        return measured

    @property
    def _undisturbed(self) -> bool:
        """Whether a load is void beside which the machine was not itself."""
        return self._plan.quality == "publishable"

    async def _steady(self, where: str) -> float:
        """The machine's speed before a load, which waits for it where that matters."""
        await asyncio.to_thread(self.speed.look)
        if self._undisturbed:
            await self.speed.come_back(lambda words: self._tell(f"{where}: {words}"))
        return self.speed.share

    def _at_speed(self, measured: Measured, speed: float) -> Measured:
        """With the speed that the machine had, and void if that was another one than usual."""
        why = unusual(speed) if self._undisturbed else []
        return replace(
            measured,
            beside={**measured.beside, "speed": speed},
            void=[*measured.void, *why],
            disturbed=measured.disturbed or bool(why),
        )


def _tidy(folder: Path, order: LoadOrder) -> None:
    """Remove what is in ``samples.parquet`` and in the contestant's history now, and where it all lay."""
    order.write(folder / ORDER)
    for name in ("samples.jsonl", "history.jsonl", "began.json"):
        (folder / name).unlink(missing_ok=True)
