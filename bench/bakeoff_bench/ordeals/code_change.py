"""A new version of a saga, with a step more, is deployed while sagas of the old one wait."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from bakeoff.checkers import Evidence, Planned, Validity, merge
from bakeoff.engine import EngineInfo
from bakeoff.saga import Saga
from bakeoff_bench.ordeals import deployed_1, deployed_2
from bakeoff_bench.ordeals.acts import ask, each, signal, start
from bakeoff_bench.ordeals.follow import until
from bakeoff_bench.ordeals.judging import conclude, evidence_of, extra_attempts
from bakeoff_bench.ordeals.ordeal import OrdealResult, Setup
from bakeoff_bench.ordeals.orders import lone_order, plan_orders, stock_for
from bakeoff_bench.ordeals.site import Site, open_site, telling
from bakeoff_scenarios import lacking

_WAIT = "approval"
_INSERTED = "screen_customer"
_OLD = deployed_1.ORDER_CHANGED


@dataclass(frozen=True)
class CodeChange:
    """Old sagas may end by either version, but wholly by one; new ones must have the new step.

    Attributes:
        new: The saga of version 2.
        deployed: The module that workers of version 2 load.
    """

    name: str = "code-change"
    description: str = "version 2 replaces version 1 while sagas wait; it has one more step ahead of them"
    new: Saga = deployed_2.ORDER_CHANGED
    deployed: str = deployed_2.__name__
    size: int = 100
    size_means: str = "sagas in flight, and as many that start afterwards"

    def lacks(self, info: EngineInfo) -> str:
        """Workers are replaced, and sagas wait meanwhile."""
        if info.in_process:
            return "its sagas live in the client's process, and end with its code"
        return "; ".join(lacking(self.new, info).values())

    def expected_s(self, size: int) -> float:
        """Bringing up, replacing, and both crowds."""
        return 20 + size / 5

    def deadline_s(self, size: int) -> float:
        """For all to be parked, and again for all to be done."""
        return 60 + size / 2

    async def run(self, setup: Setup) -> OrdealResult:
        """See ``Ordeal``."""
        # Goods of its own for each: the books of one version are told from those of the other.
        orders = [lone_order(f"change-{number:05d}") for number in range(2 * setup.size)]
        old_orders, new_orders = orders[: setup.size], orders[setup.size :]
        async with open_site(setup, sagas=("bakeoff.orders", deployed_1.__name__)) as site:
            site.add_orders(orders)
            follower = site.follower
            olds, news = (
                plan_orders(saga, some, signal=_WAIT)
                for saga, some in ((_OLD, old_orders), (self.new, new_orders))
            )
            as_new = plan_orders(self.new, old_orders, signal=_WAIT)
            site.planned = {
                **{one: replace(olds[one], alternatives=(as_new[one].expected,)) for one in olds},
                **news,
            }
            follower.watch(site.planned)
            await site.start_workers()
            setup.tell(f"{setup.size} sagas of version 1 come to their wait")
            await each(olds, lambda one: start(site, _OLD, site.planned[one]))
            parked = await until(lambda: follower.acted["reserve_inventory"] == setup.size, setup.deadline_s)
            early = len(follower.ended_s)
            setup.tell("workers and client are replaced by those of version 2")
            await site.deploy(("bakeoff.orders", self.deployed))

            async def approve(workflow_id: str) -> None:
                planned = site.planned[workflow_id]
                good = str(planned.expected.status) == "completed"
                await signal(site, planned, _WAIT, {"approved": good, "by": "bakeoff"})

            async with telling(setup, lambda: f"{len(follower.ended_s)} of {2 * setup.size} done"):
                await each(news, lambda one: start(site, self.new, site.planned[one]))
                await each(site.planned, approve)
                await until(lambda: len(follower.ended_s) == 2 * setup.size, setup.deadline_s)
            await ask(site, site.planned)

            # Who shows the new step is held to version 2, every other one of the old to version 1.
            by_new = {one: as_new[one] for one in olds if _new_step(site, one)} | news
            by_old = {one: plan for one, plan in olds.items() if one not in by_new}
            floors = [
                (parked, "not every saga of version 1 came to its wait"),
                (early == 0, f"{early} sagas were done before their signal"),
            ]
            pieces = [
                _evidence(site, saga, planned)
                for saga, planned in ((_OLD, by_old), (self.new, by_new))
                if planned
            ]
            results = [conclude(piece, floors) for piece in pieces]
            counts: Counter[str] = Counter()
            for result in results:
                counts.update(result["counts"])
            return OrdealResult(
                verdict=str(merge(Validity(result["verdict"]) for result in results)),
                reasons=tuple(dict.fromkeys(reason for result in results for reason in result["reasons"])),
                counts=dict(counts),
                integers={
                    "in flight at the change": len(olds),
                    "of them ended with the new step": len(
                        follower.ended_s.keys() & olds.keys() & by_new.keys()
                    ),
                    "of them ended without it": len(follower.ended_s.keys() & by_old.keys()),
                    "of them not ended": len(olds.keys() - follower.ended_s.keys()),
                    "started afterwards": len(news),
                    "of those not ended": len(news.keys() - follower.ended_s.keys()),
                    "attempts beyond the plan": sum(map(extra_attempts, pieces)),
                },
                notes=("an order that is declined before the new step ends without it",),
            )


def _new_step(site: Site, workflow_id: str) -> bool:
    return any(record.step == _INSERTED for record in site.follower.records(workflow_id))


def _evidence(site: Site, saga: Saga, planned: Mapping[str, Planned]) -> Evidence:
    goods = stock_for([lone_order(str(one.order_id)) for one in planned.values()])
    return evidence_of(site, saga, planned, stock=goods)
