"""One load run, phase by phase: adapters work, how fast each contestant is, how many rounds, the rounds."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict
from functools import partial
from typing import Any

from bakeoff.checkers import Validity
from bakeoff.errors import BakeoffError
from bakeoff_bench.load.alone import FACTOR, offer_alone
from bakeoff_bench.load.confirming import confirm
from bakeoff_bench.load.folder import LoadFolder
from bakeoff_bench.load.measured import Measured
from bakeoff_bench.load.plan import CHECK, USERS, Block, LoadPlan
from bakeoff_bench.load.player import Player, Tell
from bakeoff_bench.load.search import Sustained, answers, clear_answer, search
from bakeoff_bench.load.world_alone import world_alone
from bakeoff_bench.meter import history_cost
from bakeoff_bench.run.folder import remove_servers_data
from bakeoff_bench.significance import rounds_for

#: Sagas whose event histories are looked at.
_LOOKED_AT = 40
#: Where the search begins, as a share of what the closed loop reached.
_FIRST_SHARE = 0.8
_CLOSED = Block(name=f"{USERS} in flight", users=USERS)
_CHECK = Block(name="self-check", users=1)


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
                await run.begin(stacks)
                await run.check_adapters()
                if plan.search:
                    await run.find_speeds()
                rounds = await run.find_rounds() if plan.pilot else plan.rounds
                await run.make(rounds)
                await run.count_events()
                if plan.search:
                    await run.offer_alone()
                manifest["complete"] = True
            finally:
                tell("stopping servers and workers ...")
                run.player.end()
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
        self._speed: dict[str, float] = {}
        self._began_s = time.monotonic()
        self.player = Player(plan, folder, manifest, tell)

    async def begin(self, stacks: AsyncExitStack) -> None:
        """Measure the World alone, then bring everybody up."""
        plan = self._plan
        if plan.world_alone and plan.measures_throughput and plan.ledger == "sqlite":
            self._tell("services and ledger alone ...")
            pinned_to = None if plan.cpus is None else plan.cpus.deployment
            self._manifest["world"] = await asyncio.to_thread(
                world_alone, plan.workers, plan.slots, pinned_to
            )
        await self.player.begin(stacks)

    async def check_adapters(self) -> None:
        """Play a few sagas one at a time: who fails now does so for a fault of its adapter or settings.

        Raises:
            BakeoffError: If a ledger is not valid.
        """
        for one in self._plan.contestants:
            measured = await self.player.play(one.label, _CHECK, 0.0, CHECK, 0)
            if measured.validity != Validity.VALID:
                raise BakeoffError(
                    f"{one.label}: its self-check failed before the first load, one saga at a time: "
                    f"{'; '.join(measured.reasons) or measured.validity}; that is no answer of the engine: "
                    f"try `bakeoff run --only sagas --engine {one.chosen.name}`, or leave it out"
                )
            self._manifest["contestants"][one.label]["self_check"] = str(measured.validity)

    async def find_speeds(self) -> None:
        """What a closed loop of each reaches, then the rates that are sustained."""
        plan, abouts = self._plan, self._manifest["contestants"]
        found: dict[str, Sustained] = {}
        for one in plan.contestants:
            label = one.label
            measured = await clear_answer(partial(self._closed, label), 0.0)
            self._knows(label, measured.settled_per_s)
            found[label] = await self._search(label, measured.settled_per_s)
            abouts[label]["sustained"] = found[label].to_json()
            self._folder.write_manifest(self._manifest)
        await confirm(self._at, self._turns, found, plan.slo_s)
        for label, sustained in found.items():
            self._speed[label] = sustained.rate_per_s or 0.0
            abouts[label]["sustained"] = sustained.to_json()
        self._folder.write_manifest(self._manifest)

    def _knows(self, label: str, per_s: float) -> None:
        """How fast a contestant is in a closed loop."""
        self._speed[label] = self._manifest["contestants"][label]["throughput_per_s"] = per_s
        self._folder.write_manifest(self._manifest)

    async def _learn(self, label: str, block: Block, measured: Measured) -> None:
        """Where nobody searched, the first round's closed loop tells how fast a contestant is.

        Where shares of that are offered it has to be known now.
        """
        if not block.users or label in self._speed:
            return
        if self._plan.takes_shares and not answers(measured):
            measured = await clear_answer(partial(self._closed, label), 0.0)
        if self._plan.takes_shares or measured.usable:
            self._knows(label, measured.settled_per_s)

    async def _closed(self, label: str, _: float) -> Measured:
        return await self.player.play(label, _CLOSED, 0.0, "throughput", 0)

    async def _search(self, label: str, throughput_per_s: float) -> Sustained:
        async def probe(rate: float) -> Measured:
            return await self.player.play(label, _at(rate), rate, "search", 0)

        return await search(probe, _FIRST_SHARE * throughput_per_s, self._plan.slo_s)

    async def _at(self, label: str, rate: float, number: int) -> Measured:
        return await self.player.play(label, _at(rate), rate, "confirm", number)

    def _turns(self, number: int) -> Sequence[str]:
        return [one.label for one in self._plan.turns(number)]

    async def find_rounds(self) -> int:
        """As many as it takes to see a difference of 10 % between any two, by a pilot that does not count.

        It tells of the closed loop's rate; what else is compared may be noisier. Where the most that is
        allowed does not do, the most is made, or what there is time for. If that is no more than are due,
        there is no pilot, and loads become as short as lets those fit.
        """
        plan, pace = self._plan, self.player.pace
        if not pace.has_time_for_a_pilot(gone_s := time.monotonic() - self._began_s):
            # What a pilot can only make more of, there is no time for; it would cost a round itself.
            seconds = pace.seconds_of_rounds(gone_s)
            fit = "" if plan.may_be_shorter else "as many as fit of "
            rounds = f"{fit}{plan.rounds} rounds of {seconds:g} s loads"
            self._tell(f"no pilot: in what is left (--within), {rounds}")
            if seconds < plan.seconds:
                self.player.round_s = self._manifest["round_s"] = seconds
                self._folder.write_manifest(self._manifest)
            return plan.rounds
        rates: dict[str, list[float]] = {one.label: [] for one in plan.contestants}
        for number in range(plan.pilot):
            for label in self._turns(number):
                measured = await self.player.play(label, _CLOSED, 0.0, "pilot", number)
                rates[label].append(measured.settled_per_s if measured.usable else math.nan)
        # Rounds are compared in pairs, so one counts for all or for nobody.
        whole = [n for n in range(plan.pilot) if all(math.isfinite(own[n]) for own in rates.values())]
        rates = {label: [own[n] for n in whole] for label, own in rates.items()}
        if len(rates) < 2 or len(whole) < 2:
            return plan.rounds
        found = rounds_for(rates, loads=len(plan.blocks))
        self._manifest["pilot"] = {**asdict(found), "rates": rates}
        self._folder.write_manifest(self._manifest)
        self._tell(f"pilot: {found.rounds} rounds resolve {found.resolves:.0%}")
        return found.rounds

    async def make(self, rounds: int) -> None:
        """So many rounds, or as many of them as there is time for; always whole ones.

        Within a round everybody plays one load before anybody plays the next: what is compared was measured
        within minutes.
        """
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
            for place, block in enumerate(plan.blocks):
                for label in self._turns(number + place):
                    rate = block.rate or block.share * self._speed.get(label, 0.0)
                    if rate or not block.share:  # if nothing was sustained, there is no share of it
                        measured = await self._play_round(label, block, rate, number)
                        await self._learn(label, block, measured)
            longest_s = max(longest_s, time.monotonic() - began_s)

    async def _play_round(self, label: str, block: Block, rate: float, number: int) -> Measured:
        """Once more where the machine was not itself: what others did on it must cost nobody a round."""
        measured = await self.player.play(label, block, rate, "round", number)
        if measured.disturbed:
            measured = await self.player.play(label, block, rate, "round", number)
        return measured

    async def offer_alone(self) -> None:
        """Whether the generator could offer more than any engine takes; no worker runs afterwards."""
        for label, stage in self.player.stages.items():
            if not self._speed.get(label) or stage.stack.workers is None:
                continue
            order = self.player.order(label, FACTOR * self._speed[label], "alone", 0)
            self._tell(f"{label}, workers off: {order.rate:.3g}/s, {order.seconds:.3g} s")
            with self.player.turn_of(label):
                found = await offer_alone(stage, order, stage.folder / "loads" / order.label)
            self._manifest["contestants"][label]["generator_alone"] = found.to_json()

    async def count_events(self) -> None:
        """What the engines that keep an event history wrote down, and would be billed for, per saga."""
        for label, stage in self.player.stages.items():
            with self.player.turn_of(label):
                cost = await history_cost(stage.stack.client, stage.settled[-_LOOKED_AT:])
            if cost is not None:
                about = cost.to_json()
                del about["sagas"]
                self._manifest["contestants"][label]["history"] = {**about, "looked_at": len(cost.sagas)}


def _at(rate: float) -> Block:
    return Block(name=f"{rate:.3g}/s", rate=rate)
