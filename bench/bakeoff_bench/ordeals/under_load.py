"""The only worker is killed while orders come in at a steady rate: the dip, the drain, what the tail pays."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from bakeoff.checkers import Planned
from bakeoff.engine import EngineInfo
from bakeoff.expectation import expect
from bakeoff.nemesis import FaultMissedError, Target, WorkerKill
from bakeoff.world import Aim, Point, Reached, arm, reached
from bakeoff_bench.ordeals.acts import Arrivals, ask, percentiles, start, steady
from bakeoff_bench.ordeals.backlog import settle
from bakeoff_bench.ordeals.dip import WINDOW_S, dip_of
from bakeoff_bench.ordeals.follow import until
from bakeoff_bench.ordeals.judging import conclude, evidence_of, extra_attempts
from bakeoff_bench.ordeals.ordeal import OrdealResult, Setup
from bakeoff_bench.ordeals.orders import lone_order, make_orders, plan_orders
from bakeoff_bench.ordeals.site import Site, open_site, telling

#: Orders per second, before the fault and after it.
_PER_S = 5.0
_WARM = 10
#: The orphaned charge: the card is charged, the engine has not been told.
_AIM = Aim("charge_payment", "action", Point.AFTER_EFFECT)
#: So many orders stand there, so that one slot is left for the others.
_STRUCK = 3
_REACHED_WITHIN_S = 20.0
#: Share of the arrivals that must have settled before the kill; and how many may be under way beside that: a
#: slot for each.
_KEPT_UP, _UNDER_WAY = 0.85, 4
_AFTER = ("came after p50", "came after p95", "came after, worst")


@dataclass(frozen=True)
class UnderLoad:
    """Open loop: whoever comes while nobody works waits, and is counted from when it was to start."""

    name: str = "under-load"
    description: str = "the worker is killed while orders come in, 5 a second: the dip, the drain, the tail"
    size: int = 100
    size_means: str = "orders before the kill, and at least as many after it"

    def lacks(self, info: EngineInfo) -> str:
        """Where there is no worker, the client itself would be killed."""
        return "its sagas run in the client's process: there is no worker to kill" if info.in_process else ""

    def expected_s(self, size: int) -> float:
        """Two phases and a lease."""
        return 15 + 2 * size / _PER_S + 30

    def deadline_s(self, size: int) -> float:
        """After the kill, for everything that was in flight."""
        return 120 + size / _PER_S

    async def run(self, setup: Setup) -> OrdealResult:
        """See ``Ordeal``."""
        orders = make_orders("load", _WARM + 2 * setup.size + int(setup.deadline_s * _PER_S))
        held = [lone_order(f"struck-{number}") for number in range(_STRUCK)]
        async with open_site(setup, faults=True) as site:
            site.add_orders([*orders, *held])
            site.decline_some(orders)
            saga, follower = site.saga("order"), site.follower
            coming = iter(plan_orders(saga, orders).values())
            await site.start_workers()
            warm, arrivals = Arrivals(), Arrivals()
            await warm.come(site, saga, coming, steady(_PER_S), lambda: len(warm.intended_s) >= _WARM)
            await settle(site, warm, setup.deadline_s)

            setup.tell(f"{setup.size} orders, {_PER_S:.0f} per second; then the worker is killed")
            over = asyncio.Event()
            struck = {
                order.workflow_id: Planned(
                    workflow_id=order.workflow_id,
                    input=order.order_id,
                    expected=expect(saga, {}),
                    order_id=order.order_id,
                )
                for order in held
            }
            stream = asyncio.create_task(
                arrivals.come(site, saga, coming, steady(_PER_S), lambda: over.is_set())
            )
            try:
                await until(lambda: len(arrivals.intended_s) >= setup.size, setup.size / _PER_S + 30)
                site.planned.update(struck)
                follower.watch(struck)
                for planned in struck.values():
                    arm(site.stack.world.engine, planned.workflow_id, _AIM)
                    await start(site, saga, planned)
                landing = await WorkerKill().inject(Target(site.stack, await _all_standing(site)))
                hit = [*follower.unsettled(arrivals.intended_s), *struck]
                setup.tell(f"killed with {len(hit)} orders in flight; orders go on coming")
                came = len(arrivals.intended_s)

                def recovered() -> bool:
                    return not follower.unsettled(hit) and len(arrivals.intended_s) >= came + setup.size

                async with telling(setup, lambda: f"{len(follower.unsettled(hit))} of them are open"):
                    await until(recovered, setup.deadline_s)
            finally:
                over.set()
                await stream
            await settle(site, arrivals, setup.deadline_s)
            await ask(site, site.planned)

            dip = dip_of(arrivals.intended_s, follower.ended_s, landing.at_s)
            # Whoever was in flight is neither: the wait of those is told apart from the others'.
            before = Arrivals(
                intended_s={
                    one: at
                    for one, at in arrivals.intended_s.items()
                    if follower.ended_s.get(one, landing.at_s) < landing.at_s
                }
            )
            came_before = sum(at < landing.at_s for at in arrivals.intended_s.values())
            kept_up = len(before.intended_s) + _UNDER_WAY >= _KEPT_UP * came_before
            after = Arrivals(
                intended_s={one: at for one, at in arrivals.intended_s.items() if at >= landing.at_s}
            )
            left, still_open = follower.unsettled(hit), follower.unsettled(after.intended_s)
            worst_s = max(after.latencies_s(site), default=None)
            slowest = {**percentiles(after.latencies_s(site), "came after"), "came after, worst": worst_s}
            full_s = max(follower.ended_s[one] for one in hit) - landing.at_s if not left else None
            evidence = evidence_of(site, saga, site.planned, stock=site.stock)
            floors = [
                (bool(landing.ended), "no process was seen to end"),
                (kept_up, "the engine did not keep up before the kill"),
            ]
            return OrdealResult(
                **conclude(evidence, floors),
                integers={
                    "in flight at the kill": len(hit),
                    "in flight, not settled": len(left),
                    "open at once before, at the most": dip.open_before,
                    "open at once after, at the most": dip.open_after,
                    "orders before": len(before.intended_s),
                    "orders after": len(after.intended_s),
                    "of them not settled": len(still_open),
                    "attempts beyond the plan": extra_attempts(evidence),
                },
                times_s={
                    "longest silence from the kill on": dip.silent_s,
                    "kill to no more open than before": dip.drained_s,
                    "kill to the end of all in flight": full_s,
                    **percentiles(before.latencies_s(site), "came before"),
                    # One that never ended would be the slowest of all: then there is no such percentile.
                    **(dict.fromkeys(_AFTER) if still_open else slowest),
                },
                rates_per_s={"settled before": dip.before_per_s},
                ratios={
                    f"settled in the worst {WINDOW_S:.0f} s before, of what came": dip.lowest_share_before,
                    f"settled in the worst {WINDOW_S:.0f} s after, of what came": dip.lowest_share,
                },
                notes=tuple(arrivals.notes("orders")),
            )


async def _all_standing(site: Site) -> Reached:
    """The last of the orders that come to the point."""
    engine = site.stack.world.engine
    if not await until(lambda: len(reached(engine)) >= _STRUCK, _REACHED_WITHIN_S):
        raise FaultMissedError(f"{_STRUCK} orders were not at the point within {_REACHED_WITHIN_S:.0f} s")
    return reached(engine)[-1]
