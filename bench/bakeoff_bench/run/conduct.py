"""One run: stacks come up one after another, engines take turns, everything is written down.

A stack comes up right before its first block and stays up, idle, while others have their turn: starting
it anew for every block would cost more, and warm it less fairly, than the idle load, which is measured in
every block and stored beside the result.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

from bakeoff.errors import UsageError
from bakeoff.history import History
from bakeoff.stack import StackPlan, running_stack
from bakeoff_bench.meter import cpu_seconds
from bakeoff_bench.run.countdown import Countdown
from bakeoff_bench.run.drive import Driver, Tally
from bakeoff_bench.run.folder import RunFolder, keep_worlds, remove_servers_data
from bakeoff_bench.run.left import LEFT, left_of
from bakeoff_bench.run.manifest import manifest_of
from bakeoff_bench.run.plan import Contestant, RunPlan, block, expected_seconds, turns
from bakeoff_bench.run.progress import Progress
from bakeoff_bench.run.tail import LedgerTail
from bakeoff_scenarios import Workload


async def conduct(
    plan: RunPlan, contestants: list[Contestant], folder: RunFolder, began_s: float
) -> dict[str, Any]:
    """Run everything and return the manifest, which is in the folder as well.

    Args:
        plan, contestants: What to do.
        folder: Where it is written down.
        began_s: Monotonic seconds at which the command began.

    Raises:
        UsageError, ServerStartError: If a stack does not come up.
    """
    manifest = manifest_of(plan, contestants)
    folder.write_manifest(manifest)
    folder.write_rejected(plan.book.rejected)
    running = [one for one in contestants if one.workload is not None]
    tallies = {one.chosen.name: Tally() for one in contestants}
    for one in contestants:
        if one.workload is None:
            tallies[one.chosen.name].state = "not supported"
        else:
            tallies[one.chosen.name].planned = len(one.workload.assignments)
    run = _Run(plan, folder, manifest, began_s)
    try:
        with Progress(tallies, Countdown(expected_seconds(plan, contestants))) as progress:
            async with AsyncExitStack() as stacks:
                try:
                    for number, position in turns(len(running), plan.rounds):
                        one = running[position]
                        await run.block(one, number, stacks, tallies[one.chosen.name], progress)
                    manifest["complete"] = True
                finally:
                    progress.note("stopping servers and workers ...")
                    run.keep_ledgers()
    finally:  # also after Ctrl-C: what was recorded can be judged, and holds no credentials
        for one in running:
            remove_servers_data(folder.engine(one.chosen.name))
        folder.write_manifest(manifest)
    return manifest


def all_stacks_were_up(folder: RunFolder) -> bool:
    """Whether every engine of a run that was broken off had at least come up."""
    try:
        engines = folder.manifest()["engines"].values()
    except UsageError:
        return False
    return all("ready_s" in about for about in engines if not about["lacking"])


class _Run:
    def __init__(self, plan: RunPlan, folder: RunFolder, manifest: dict[str, Any], began_s: float) -> None:
        self._plan = plan
        self._folder = folder
        self._manifest = manifest
        self._began_s = began_s
        self._drivers: dict[str, Driver] = {}

    async def block(
        self, one: Contestant, number: int, stacks: AsyncExitStack, tally: Tally, progress: Progress
    ) -> None:
        """One turn of one engine."""
        name, workload = one.chosen.name, one.workload
        assert workload is not None
        if name not in self._drivers:
            tally.state = "starting"
            progress.changed(name)
            self._drivers[name] = await self._bring_up(one, workload, stacks, tally)
            self._drivers[name].on_settled = self._settled(name, progress)
            for server in self._drivers[name].stack.servers:
                for title, url in server.pages.items():
                    progress.note(f"{name}: {title} at {url} while the run lasts")
        driver = self._drivers[name]
        part = workload.assignments[block(workload, number, self._plan.rounds)]
        others = [other.stack for other in self._drivers.values() if other is not driver]
        tally.state = f"round {number + 1} of {self._plan.rounds}"
        progress.changed(name)
        own_before, idle_before = cpu_seconds([driver.stack]), cpu_seconds(others)
        harness_before = time.process_time()
        tally.block_began_s = time.monotonic()
        # Cancelled orders are other work on an engine that refuses them: they stay out of every number.
        alike = [one for one in part if not one.planned.note]
        seconds = await driver.block(alike, self._plan.concurrency)
        tally.finished_blocks_s, tally.block_began_s = tally.finished_blocks_s + seconds, None
        about = self._manifest["engines"][name]
        about["blocks"].append(
            {
                "round": number,
                "sagas": len(alike),
                "seconds": seconds,
                "harness_cpu_s": time.process_time() - harness_before,
                "deployment_cpu_s": cpu_seconds([driver.stack]) - own_before,
                "idle_others_cpu_s": cpu_seconds(others) - idle_before,
            }
        )
        await driver.block([one for one in part if one.planned.note], self._plan.concurrency)
        about["worker_restarts"] = driver.stack.workers.restarts if driver.stack.workers else 0
        if tally.last_error:
            progress.note(f"{name}: a client's call failed: {tally.last_error}")
            tally.last_error = ""
        tally.state = "done" if number + 1 == self._plan.rounds else "waits for its turn"
        progress.changed(name)

    def _settled(self, name: str, progress: Progress) -> Callable[[], None]:
        def settled() -> None:
            if self._manifest["first_settled_s"] is None:
                self._manifest["first_settled_s"] = time.monotonic() - self._began_s
                self._manifest["first_settled_at"] = time.time()  # for other processes
            progress.changed(name)

        return settled

    async def _bring_up(
        self, one: Contestant, workload: Workload, stacks: AsyncExitStack, tally: Tally
    ) -> Driver:
        plan, name = self._plan, one.chosen.name
        self._folder.write_workload(name, workload)
        began_s = time.monotonic()
        stack = await stacks.enter_async_context(
            running_stack(
                StackPlan(
                    engine=one.chosen.engine,
                    settings=one.chosen.settings,
                    folder=self._folder.engine(name),
                    sagas=plan.references,
                    profile=workload.profile,
                    participants=plan.participants,
                    workers=plan.workers,
                    slots=plan.slots,
                    ledger=plan.ledger,
                    prefix=plan.prefix,
                    bridge=plan.bridge,
                    otlp=plan.otlp,
                )
            )
        )
        about = self._manifest["engines"][name]
        about["ready_s"] = time.monotonic() - began_s
        about["versions"] = stack.versions()
        about[LEFT] = left_of(stack.deployment)
        stack.world.add_orders(workload.orders)
        stack.world.set_stock(workload.stock)
        for assignment in workload.assignments:
            if assignment.fates is not None:
                stack.world.set_fate(assignment.planned.workflow_id, assignment.fates)
        return Driver(
            stack=stack,
            saga=stack.sagas[plan.saga.name],
            history=stacks.enter_context(History(self._folder.engine(name) / "history.jsonl")),
            tail=LedgerTail(stack.world),
            tally=tally,
            by_word=plan.participants == "naive",
        )

    def keep_ledgers(self) -> None:
        """A ledger that is no file of the run folder is copied into one."""
        keep_worlds(
            (driver.stack.world.engine, self._folder.engine(name) / "world.db")
            for name, driver in self._drivers.items()
        )
