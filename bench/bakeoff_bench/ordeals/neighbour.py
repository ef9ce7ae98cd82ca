"""Slow sagas on the workers of fast ones: what the fast ones pay."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from bakeoff.checkers import Planned, Validity, merge
from bakeoff.engine import EngineInfo
from bakeoff.expectation import expect
from bakeoff.saga import Saga
from bakeoff_bench.ordeals.acts import Arrivals, ask, percentiles, poisson, steady
from bakeoff_bench.ordeals.backlog import settle
from bakeoff_bench.ordeals.judging import conclude, evidence_of, extra_attempts
from bakeoff_bench.ordeals.ordeal import OrdealResult, Setup
from bakeoff_bench.ordeals.orders import make_orders, plan_orders
from bakeoff_bench.ordeals.sagas import SLOW_S
from bakeoff_bench.ordeals.site import open_site, telling

#: Orders per second; slots of the worker, and how many of them the slow sagas keep busy on average.
_PER_S = 5.0
_SLOTS = 4
_BUSY = 3
_WARM = 10
#: Of the slow arrivals, the same for every engine: they come in bursts, as other people's work does.
_SEED = 10
#: What the slow saga, which has nothing to undo, can be held to.
_INVARIANTS = ("expected", "I2", "I5", "I7", "I8", "I10")


@dataclass(frozen=True)
class NoisyNeighbour:
    """The same orders at the same rate, alone and beside reports of two seconds each."""

    name: str = "noisy-neighbour"
    description: str = f"orders alone, then beside sagas of {SLOW_S:.0f} s that keep 3 of the 4 slots busy"
    size: int = 150
    size_means: str = "orders alone, and as many beside the slow sagas"

    def lacks(self, info: EngineInfo) -> str:
        """Every engine can."""
        return ""

    def expected_s(self, size: int) -> float:
        """Two phases."""
        return 15 + 2 * size / _PER_S

    def deadline_s(self, size: int) -> float:
        """After the last arrival of a phase."""
        return 60

    async def run(self, setup: Setup) -> OrdealResult:
        """See ``Ordeal``."""
        orders = make_orders("neighbour", _WARM + 2 * setup.size)
        references = ("bakeoff.orders", "bakeoff_bench.ordeals.sagas")
        async with open_site(setup, sagas=references, slots=_SLOTS) as site:
            site.add_orders(orders)
            site.decline_some(orders)
            saga, slow_saga = site.saga("order"), site.saga("slow-report")
            fast = plan_orders(saga, orders)
            coming = iter(fast.values())
            await site.start_workers()
            warm, alone, beside, slow = Arrivals(), Arrivals(), Arrivals(), Arrivals()

            async def orders_come(arrivals: Arrivals, count: int) -> None:
                await arrivals.come(
                    site, saga, coming, steady(_PER_S), lambda: len(arrivals.intended_s) >= count
                )

            await orders_come(warm, _WARM)
            await settle(site, warm, setup.deadline_s)
            setup.tell(f"{setup.size} orders, {_PER_S:.0f} per second, alone")
            await orders_come(alone, setup.size)
            await settle(site, alone, setup.deadline_s)

            setup.tell(f"{setup.size} orders again, beside slow sagas, {_BUSY / SLOW_S:g} per second")
            reports = {f"report-{n:05d}": _report(slow_saga, n) for n in range(1 + setup.size)}
            over = asyncio.Event()
            async with (
                asyncio.TaskGroup() as both,
                telling(
                    setup, lambda: f"{len(beside.intended_s)} orders, {len(slow.intended_s)} slow sagas came"
                ),
            ):
                both.create_task(
                    slow.come(
                        site, slow_saga, iter(reports.values()), poisson(_BUSY / SLOW_S, _SEED), over.is_set
                    )
                )
                await asyncio.sleep(2 * SLOW_S)  # until the slots are as busy as they will be
                busy = len(slow.intended_s)
                await orders_come(beside, setup.size)
                over.set()
            await settle(site, beside, setup.deadline_s)
            await settle(site, slow, setup.deadline_s + SLOW_S * len(slow.intended_s) / _SLOTS)
            await ask(site, site.planned)

            slow_ones = {one: site.planned[one] for one in slow.intended_s}
            fast_ones = {one: plan for one, plan in site.planned.items() if one not in slow_ones}
            came = len(slow.intended_s) - busy
            fast_evidence = evidence_of(site, saga, fast_ones, stock=site.stock)
            slow_evidence = evidence_of(site, slow_saga, slow_ones, stock={})
            enough = came * 2 >= _BUSY / SLOW_S * setup.size / _PER_S
            results = [
                conclude(fast_evidence, [(enough, f"only {came} slow sagas came in")]),
                conclude(slow_evidence, [], _INVARIANTS),
            ]
            times_s = {
                **percentiles(alone.latencies_s(site), "alone"),
                **percentiles(beside.latencies_s(site), "beside"),
                **percentiles(slow.latencies_s(site), "slow sagas"),
            }
            return OrdealResult(
                verdict=str(merge(Validity(result["verdict"]) for result in results)),
                reasons=tuple(reason for result in results for reason in result["reasons"]),
                counts=results[0]["counts"],
                integers={
                    "orders alone": len(alone.intended_s),
                    "orders beside": len(beside.intended_s),
                    "slow sagas": len(slow.intended_s),
                    "attempts beyond the plan": extra_attempts(fast_evidence) + extra_attempts(slow_evidence),
                },
                times_s=times_s,
                ratios={share: _ratio(times_s, share) for share in ("p50", "p95")},
                notes=(*alone.notes("alone"), *beside.notes("beside"), *slow.notes("slow sagas")),
            )


def _report(saga: Saga, number: int) -> Planned:
    return Planned(workflow_id=f"report-{number:05d}", input=number, expected=expect(saga, {}))


def _ratio(times_s: dict[str, float | None], share: str) -> float | None:
    alone, beside = times_s[f"alone {share}"], times_s[f"beside {share}"]
    return beside / alone if alone and beside else None
