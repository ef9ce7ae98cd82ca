"""A crash run: stacks come up, contestants take turns kill by kill, every kill is written down at once."""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter, deque
from contextlib import AsyncExitStack
from typing import Any

from bakeoff.cli.screen import progress
from bakeoff.errors import BakeoffError, ServerStartError
from bakeoff.history import History
from bakeoff.nemesis import Fault, Need
from bakeoff.stack import StackPlan, running_stack
from bakeoff_bench.crash.contestants import Contestant
from bakeoff_bench.crash.folder import CrashFolder
from bakeoff_bench.crash.hosted import hosted_stack
from bakeoff_bench.crash.kill import Kills
from bakeoff_bench.crash.lane import Lane
from bakeoff_bench.crash.outcome import KillOutcome
from bakeoff_bench.crash.plan import CrashPlan, Series, Shot
from bakeoff_bench.crash.points import points_of, windows_of
from bakeoff_bench.crash.record import Kill
from bakeoff_bench.run.countdown import time_left
from bakeoff_bench.run.folder import keep_world, remove_servers_data
from bakeoff_bench.run.journal import Row

#: Stacks that are up, mostly idle, at the same time; a sweep may have dozens of contestants.
_UP_AT_ONCE = 8
#: How often what was void is made again: on a busy machine it lands the second time, and else it never does.
_AGAIN = 2


async def conduct(plan: CrashPlan, folder: CrashFolder) -> None:
    """Make every kill of the plan that is not in the folder yet; one that did not land is made again.

    Raises:
        UsageError, ServerStartError: If a stack does not come up.
    """
    for _ in range(1 + _AGAIN):
        run = _Run(plan, folder)
        for number, series in enumerate(plan.series):
            for needs, faults in series.by_needs():
                await run.block(number, series, needs, faults)
        if not (void := run.void()):
            break
        progress(f"{void} kills are void: they prove nothing, on a machine that was too busy perhaps")
    progress("all kills are made")


class _Up:
    """A contestant that is up: its stack, and why it is left alone if it is."""

    def __init__(self, contestant: Contestant, kills: Kills, name: str) -> None:
        self.contestant = contestant
        self.kills = kills
        self.name = name

    @property
    def failure(self) -> ServerStartError | None:
        return self.kills.stack.failure


class _Run:
    def __init__(self, plan: CrashPlan, folder: CrashFolder) -> None:
        self._plan = plan
        self._folder = folder
        engines = ((one.engine, one.settings) for series in plan.series for one in series.contestants)
        self._points = points_of(plan.saga, windows_of(plan.saga, engines, plan.bridge.name))
        # What did not land is no kill: it is made again, on a stack that knows nothing of it.
        rows = [row for row in folder.rows() if row["outcome"] != KillOutcome.VOID]
        self._made = Counter(_key(row) for row in rows)
        self._before = self._done = len(rows)
        self._began_s = time.monotonic()
        self._lanes = asyncio.Semaphore(plan.lanes)

    def void(self) -> int:
        """Kills of the plan that still have to land."""
        landed = [row for row in self._folder.rows() if row["outcome"] != KillOutcome.VOID]
        return self._plan.kills_in_all - len(landed)

    async def block(self, number: int, series: Series, needs: frozenset[Need], faults: list[Fault]) -> None:
        """All shots with faults that need the same stack."""
        by_name = {fault.name: fault for fault in faults}
        shots = [(shot, self._missing(number, series, shot)) for shot in self._plan.shots(number, faults)]
        needed = list({one.label: one for _, missing in shots for one in missing}.values())
        for first in range(0, len(needed), _UP_AT_ONCE):
            async with AsyncExitStack() as stacks:
                up = {
                    one.label: [
                        await self._bring_up(one, series, needs, [shot for shot, _ in shots], stacks)
                        for _ in range(self._plan.copies_of(one, len(shots)))
                    ]
                    for one in needed[first : first + _UP_AT_ONCE]
                }
                for begin in range(0, len(shots), self._plan.copies):
                    await self._round(number, up, by_name, shots[begin : begin + self._plan.copies])
                progress("stopping servers and workers ...")

    async def _round(
        self,
        number: int,
        up: dict[str, list[_Up]],
        faults: dict[str, Fault],
        shots: list[tuple[Shot, list[Contestant]]],
    ) -> None:
        """A few shots; every contestant is through with them before anybody goes on to the next."""

        async def take(copy: _Up, left: deque[Shot]) -> None:
            while left:
                shot = left.popleft()
                await self._turn(number, copy, faults[shot.fault], shot)

        async with asyncio.TaskGroup() as turns:
            for label, copies in up.items():
                left = deque(shot for shot, missing in shots if label in {one.label for one in missing})
                for copy in copies:
                    turns.create_task(take(copy, left))

    def _missing(self, number: int, series: Series, shot: Shot) -> list[Contestant]:
        """Who has not had this shot yet; counts it as made for the others."""
        missing = []
        for one in series.contestants:
            key = (number, one.label, shot.fault, shot.point)
            if self._made[key] > 0:
                self._made[key] -= 1
            else:
                missing.append(one)
        return missing

    async def _bring_up(
        self,
        one: Contestant,
        series: Series,
        needs: frozenset[Need],
        shots: list[Shot],
        stacks: AsyncExitStack,
    ) -> _Up:
        progress(f"starting {one.label} ...")
        folder = self._folder.new_stack(one.slug)
        stacks.callback(remove_servers_data, folder)
        in_process = one.engine.info(one.settings).in_process
        stack = await stacks.enter_async_context(
            (hosted_stack if in_process else running_stack)(
                StackPlan(
                    engine=one.engine,
                    settings=one.settings,
                    folder=folder,
                    sagas=self._plan.references,
                    participants=self._plan.participants,
                    workers=2 if Need.SECOND_WORKER in needs else 1,
                    ledger="postgres" if Need.POSTGRES in needs else "sqlite",
                    faults=True,
                    proxied=Need.PROXY in needs,
                    bridge=self._plan.bridge,
                    otlp=self._plan.otlp,
                )
            )
        )
        if Need.POSTGRES in needs:
            stacks.callback(keep_world, stack.world.engine, folder / "world.db")
        orders = {order.order_id: order for shot in shots for order in shot.orders}
        stack.world.add_orders(list(orders.values()))
        demand: Counter[str] = Counter()
        for order in orders.values():
            demand.update(order.units())
        stack.world.set_stock(dict(demand))
        file = folder / "history.jsonl"
        kills = Kills(
            stack=stack,
            saga=stack.sagas[self._plan.saga.name],
            history=stacks.enter_context(History(file)),
            history_file=file,
            deadline_s=series.deadline_s,
            lease_s=one.lease_s,
        )
        return _Up(one, kills, folder.name)

    async def _turn(self, number: int, up: _Up, fault: Fault, shot: Shot) -> None:
        """One kill of one contestant. One whose workers cannot be kept alive is left alone, and says so."""
        async with Lane(self._lanes) as lane:
            row: dict[str, Any] = {
                "series": number,
                "contestant": up.contestant.label,
                "engine": up.contestant.engine.name,
                "fault": fault.name,
                "point": shot.point,
                "stack": up.name,
                "deadline_s": up.kills.deadline_s,
                # A process that is silent is waited for longer than one whose connection broke.
                "lease_s": _finite(
                    up.kills.stack.info.lease_s
                    if Need.SECOND_WORKER in fault.needs
                    else up.contestant.lease_s
                ),
            }
            row |= await self._kill(up, fault, shot, lane)
            self._folder.append(row)
            self._tell(row)

    async def _kill(self, up: _Up, fault: Fault, shot: Shot, lane: Lane) -> dict[str, Any]:
        try:
            if up.failure is not None:
                raise up.failure
            aim = self._points[shot.point]
            return (await up.kills.kill(fault, aim, shot.orders, lane.give_back)).to_json()
        except BakeoffError as error:  # a server that does not come back must not end hours of kills
            return Kill(outcome=KillOutcome.VOID, detail=str(error), workflow_ids=()).to_json()

    def _tell(self, row: Row) -> None:
        self._done += 1
        each_s = (time.monotonic() - self._began_s) / (self._done - self._before)
        left_s = each_s * (self._plan.kills_in_all - self._done)
        after_s = row.get("recovery_s")
        recovered = f", recovered after {after_s:.1f} s" if after_s is not None else ""
        detail = f" ({row['detail']})" if row["detail"] else ""
        progress(
            f"{self._done} of {self._plan.kills_in_all}, {time_left(left_s)}: {row['contestant']}, "
            f"{row['fault']} at {row['point']}: {row['outcome']}{detail}{recovered}"
        )


def _finite(seconds: float | None) -> float | None:
    """JSON has no infinity."""
    return seconds if seconds is not None and math.isfinite(seconds) else None


def _key(row: Row) -> tuple[int, str, str, str]:
    return row["series"], row["contestant"], row["fault"], row["point"]
