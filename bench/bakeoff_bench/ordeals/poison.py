"""One order kills whoever handles it, again and again, while ordinary orders come in."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from bakeoff.checkers import Validity, merge
from bakeoff.engine import EngineInfo
from bakeoff.world import arm
from bakeoff_bench.ordeals.acts import Arrivals, ask, percentiles, start, steady
from bakeoff_bench.ordeals.backlog import settle
from bakeoff_bench.ordeals.executioner import Executioner
from bakeoff_bench.ordeals.follow import until
from bakeoff_bench.ordeals.judging import conclude, evidence_of, extra_attempts
from bakeoff_bench.ordeals.ordeal import OrdealResult, Setup
from bakeoff_bench.ordeals.orders import lone_order, make_orders, plan_orders, stock_for
from bakeoff_bench.ordeals.poisoned import AIM, ALLOWED, attempts_of, end_of, fate_of, plan_poisoned
from bakeoff_bench.ordeals.site import Site, open_site, telling

#: Orders per second, before the poison and beside it.
_PER_S = 4.0
#: Twice the attempts that the step's retry policy allows; afterwards the order does no more harm.
MOST_KILLS = 2 * ALLOWED
_CURED_WITHIN_S = 30.0


@dataclass(frozen=True)
class Poison:
    """Strikes from outside, by process id, so that the domain's code stays innocent.

    Attributes:
        whole: Kill the whole worker (a container out of memory), not only the process that runs the step.
    """

    name: str = "poison"
    description: str = "one order kills the process that runs it, every time, while others come in"
    whole: bool = False
    size: int = 60
    size_means: str = "orders before the poison, and at least as many beside it"

    def lacks(self, info: EngineInfo) -> str:
        """Where there is no worker, the client itself would be killed."""
        return (
            "its sagas run in the client's process, which is what the order would kill"
            if info.in_process
            else ""
        )

    def expected_s(self, size: int) -> float:
        """Two phases and some leases."""
        return 10 + 2 * size / _PER_S + 60

    def deadline_s(self, size: int) -> float:
        """From the poison's start to its end, or to its last kill."""
        return 200 + size / _PER_S

    async def run(self, setup: Setup) -> OrdealResult:
        """See ``Ordeal``."""
        orders = make_orders("poison", 2 * setup.size + int(setup.deadline_s * _PER_S))
        poison = lone_order("poisoned")
        async with open_site(setup, faults=True) as site:
            site.add_orders([*orders, poison])
            site.decline_some(orders)
            saga, follower = site.saga("order"), site.follower
            coming = iter(plan_orders(saga, orders).values())
            await site.start_workers()

            setup.tell(f"{setup.size} orders, {_PER_S:.0f} per second, and nothing else")
            before, after = Arrivals(), Arrivals()
            await before.come(
                site, saga, coming, steady(_PER_S), lambda: len(before.intended_s) >= setup.size
            )
            await settle(site, before, 60)

            setup.tell("the poisoned order is started; orders go on coming")
            planned = plan_poisoned(saga, poison.workflow_id, poison.order_id)
            arm(site.stack.world.engine, poison.workflow_id, AIM, MOST_KILLS + 1)
            follower.watch({poison.workflow_id: planned})
            executioner = Executioner(site=site, whole=self.whole, most=MOST_KILLS)
            began_s, over = time.monotonic(), asyncio.Event()
            await start(site, saga, planned)

            def enough() -> bool:
                return over.is_set() and len(after.intended_s) >= setup.size

            async with asyncio.TaskGroup() as beside_it:
                striking = beside_it.create_task(executioner.strike())
                more = beside_it.create_task(after.come(site, saga, coming, steady(_PER_S), enough))
                async with telling(setup, lambda: _progress(site, executioner, after)):
                    await until(
                        lambda: striking.done() or poison.workflow_id in follower.ended_s, setup.deadline_s
                    )
                    over_s = time.monotonic() - began_s
                    over.set()
                    await more
                    await settle(site, after, setup.deadline_s)
                    await until(
                        lambda: not executioner.cured or poison.workflow_id in follower.ended_s,
                        _CURED_WITHIN_S,
                    )
                striking.cancel()
            if executioner.failure is not None:
                raise executioner.failure
            await ask(site, [*site.planned, poison.workflow_id])

            goods = stock_for([poison])
            stock = {sku: units for sku, units in site.stock.items() if sku not in goods}
            others = evidence_of(site, saga, site.planned, stock=stock)
            result = conclude(others, [(executioner.kills > 0, "the poisoned order killed nobody")])
            alone = evidence_of(site, saga, {planned.workflow_id: end_of(site, planned)}, stock=goods)
            verdict, fate = fate_of(alone, executioner)
            return OrdealResult(
                verdict=str(merge([Validity(result["verdict"]), verdict])),
                reasons=(*result["reasons"], *([fate] if verdict is not Validity.VALID else [])),
                counts=result["counts"],
                integers={
                    "deaths": executioner.kills,
                    "processes killed": executioner.processes,
                    "strikes that came too late": executioner.missed,
                    "workers started again": site.stack.workers.restarts if site.stack.workers else 0,
                    "attempts of the poisoned payment": attempts_of(alone),
                    "orders before": len(before.intended_s),
                    "orders beside it": len(after.intended_s),
                    "attempts beyond the plan": extra_attempts(others),
                },
                times_s={
                    "poison's start to its end, or to the last look": over_s,
                    **{
                        f"poison's start to death {number}": struck_s - began_s
                        for number, struck_s in enumerate(executioner.struck_s, start=1)
                    },
                    **percentiles(before.latencies_s(site), "before"),
                    **percentiles(after.latencies_s(site), "beside it"),
                    "beside it, worst": max(after.latencies_s(site), default=None),
                },
                notes=(f"the poisoned order: {fate}", *before.notes("before"), *after.notes("beside it")),
            )


def _progress(site: Site, executioner: Executioner, after: Arrivals) -> str:
    done = sum(one in site.follower.ended_s for one in after.intended_s)
    return f"{executioner.kills} deaths; {done} of {len(after.intended_s)} orders beside it are done"
