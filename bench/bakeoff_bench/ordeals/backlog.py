"""No worker is there while orders come in; then one starts, and orders go on coming."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from itertools import chain

from bakeoff.engine import EngineInfo
from bakeoff_bench.ordeals.acts import Arrivals, ask, percentiles, steady
from bakeoff_bench.ordeals.follow import until
from bakeoff_bench.ordeals.judging import conclude, evidence_of, extra_attempts
from bakeoff_bench.ordeals.memory import Peak, workers_mb
from bakeoff_bench.ordeals.ordeal import OrdealResult, Setup
from bakeoff_bench.ordeals.orders import make_orders, plan_orders
from bakeoff_bench.ordeals.site import Site, beside, open_site, telling

#: Seconds in which the backlog builds; a small one comes at this rate.
_BUILDS_IN_S = 20.0
_BUILDS_PER_S = 10.0
#: Orders per second that come while it is worked off.
_MEANWHILE_PER_S = 2.0
#: Orders beforehand, so that the worker's idle memory is that of one which has worked.
_WARM = 10


@dataclass(frozen=True)
class Backlog:
    """Takes the worker away, in order, lets orders arrive, and brings it back."""

    name: str = "backlog"
    description: str = (
        "no worker while orders come in for 20 s, then one starts: is anything lost, how it drains"
    )
    size: int = 200
    size_means: str = "sagas of the backlog"

    def lacks(self, info: EngineInfo) -> str:
        """An engine without workers cannot miss them."""
        return "its sagas run in the client's process: no worker can be absent" if info.in_process else ""

    def expected_s(self, size: int) -> float:
        """Bringing up, building, draining at ten per second."""
        return 10 + _builds_in_s(size) + size / 10

    def deadline_s(self, size: int) -> float:
        """For the backlog to be gone after the worker's start."""
        return 60 + size / 2

    async def run(self, setup: Setup) -> OrdealResult:
        """See ``Ordeal``."""
        orders = make_orders("backlog", _WARM + setup.size + int(_MEANWHILE_PER_S * setup.deadline_s))
        async with open_site(setup) as site:
            site.add_orders(orders)
            site.decline_some(orders)
            saga = site.saga("order")
            coming = iter(plan_orders(saga, orders).values())
            await site.start_workers()
            warm, built, later = Arrivals(), Arrivals(), Arrivals()
            await warm.come(site, saga, coming, steady(10), lambda: len(warm.intended_s) >= _WARM)
            await settle(site, warm, setup.deadline_s)
            idle_mb = workers_mb(site.stack)
            await site.stop_workers()

            within_s = _builds_in_s(setup.size)
            setup.tell(f"the worker is gone; {setup.size} orders come in within {within_s:.0f} s")
            pauses_s = steady(setup.size / within_s)
            await built.come(site, saga, coming, pauses_s, lambda: len(built.intended_s) >= setup.size)
            untouched = not any(one in site.follower.tried_s for one in built.intended_s)

            setup.tell(f"the worker starts; orders go on coming, {_MEANWHILE_PER_S:.0f} per second")
            began_s, over = time.monotonic(), asyncio.Event()
            peak = Peak(lambda: workers_mb(site.stack))
            pauses_s = chain((0.0,), steady(_MEANWHILE_PER_S))
            more = asyncio.create_task(later.come(site, saga, coming, pauses_s, over.is_set))
            try:
                async with (
                    beside(peak.watch()),
                    telling(setup, lambda: f"{_left(site, built)} of it are left"),
                ):
                    await site.start_workers()
                    ready_s = time.monotonic() - began_s
                    drained = await settle(site, built, setup.deadline_s)
                    drained_s, left = time.monotonic() - began_s if drained else None, _left(site, built)
            finally:
                over.set()
                await more
            await settle(site, later, setup.deadline_s)
            await ask(site, site.planned)

            waits_s = [site.follower.tried_s[one] - at_s for one, at_s in built.intended_s.items()
                       if one in site.follower.tried_s]  # fmt: skip
            evidence = evidence_of(site, saga, site.planned, stock=site.stock)
            floors = [
                (untouched, "a saga was tried while no worker should have been there"),
                (len(built.intended_s) == setup.size, f"only {len(built.intended_s)} orders came in"),
                (drained, f"{left} of the backlog were left at the deadline"),
                (len(later.intended_s) > 0, "no order came in while the backlog was worked off"),
            ]
            return OrdealResult(
                **conclude(evidence, floors),
                integers={
                    "backlog": len(built.intended_s),
                    "backlog left at the deadline": left,
                    "orders meanwhile": len(later.intended_s),
                    "attempts beyond the plan": extra_attempts(evidence),
                },
                times_s={
                    "worker ready": ready_s,
                    "backlog drained": drained_s,
                    "oldest wait for a first attempt": max(waits_s, default=None),
                    **percentiles(built.latencies_s(site), "backlog, arrival to end"),
                    **percentiles(later.latencies_s(site), "orders meanwhile, arrival to end"),
                },
                rates_per_s={"drained": setup.size / drained_s if drained_s else None},
                memory_mb={"worker idle before": idle_mb, "worker at its highest": peak.highest_mb},
                notes=tuple(later.notes("orders meanwhile")),
            )


async def settle(site: Site, arrivals: Arrivals, within_s: float) -> bool:
    """Wait until everything that arrived has settled; ``False`` if it does not in time."""
    return await until(lambda: all(one in site.follower.ended_s for one in arrivals.intended_s), within_s)


def _builds_in_s(size: int) -> float:
    return min(_BUILDS_IN_S, size / _BUILDS_PER_S)


def _left(site: Site, arrivals: Arrivals) -> int:
    return sum(one not in site.follower.ended_s for one in arrivals.intended_s)
