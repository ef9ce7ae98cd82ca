"""Many sagas wait for an approval while everything is restarted; then all of them are approved at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from bakeoff.checkers import Planned
from bakeoff.engine import Describes, EngineInfo
from bakeoff.orders import ORDER_APPROVAL
from bakeoff_bench.meter import Role, stored
from bakeoff_bench.ordeals.acts import ask, each, percentiles, signal, start
from bakeoff_bench.ordeals.follow import until
from bakeoff_bench.ordeals.judging import conclude, evidence_of, extra_attempts
from bakeoff_bench.ordeals.memory import Peak, servers_mb, workers_mb
from bakeoff_bench.ordeals.ordeal import OrdealResult, Setup
from bakeoff_bench.ordeals.orders import make_orders, plan_orders
from bakeoff_bench.ordeals.site import Site, beside, open_site, telling
from bakeoff_scenarios import lacking

_WAIT = "approval"
#: Sagas that the engine is asked about while they are parked.
_LOOKS = 20


@dataclass(frozen=True)
class Parked:
    """Everything stops and comes back on its own data while no saga has anything to do."""

    name: str = "parked"
    description: str = "sagas parked on an approval over a restart of everything, then all approved at once"
    size: int = 10_000
    size_means: str = "sagas that are parked"

    def lacks(self, info: EngineInfo) -> str:
        """Waits are needed, and something that outlives the client."""
        if info.in_process:
            return "its sagas live in the client's process, and end with it"
        return "; ".join(lacking(ORDER_APPROVAL, info).values())

    def expected_s(self, size: int) -> float:
        """Start and wake-up at fifty and twenty per second."""
        return 30 + size / 50 + size / 20

    def deadline_s(self, size: int) -> float:
        """For all to be parked, and again for all to be done."""
        return 120 + size / 5

    async def run(self, setup: Setup) -> OrdealResult:
        """See ``Ordeal``."""
        orders = make_orders("parked", setup.size)
        async with open_site(setup) as site:
            await asyncio.to_thread(site.add_orders, orders)
            follower, saga = site.follower, site.saga("order-approval")
            site.planned = plan_orders(saga, orders, signal=_WAIT)
            follower.watch(site.planned)
            await site.start_workers()

            def parked() -> int:
                return follower.acted["reserve_inventory"]

            answered: list[str] = []

            async def begin(workflow_id: str) -> None:
                await start(site, saga, site.planned[workflow_id])
                answered.append(workflow_id)

            began_s = time.monotonic()
            async with telling(
                setup, lambda: f"{len(answered)} of {setup.size} started, {parked()} reserved their goods"
            ):
                await each(site.planned, begin)
                started_s = time.monotonic() - began_s
                all_parked = await until(lambda: parked() == setup.size, setup.deadline_s)
            parked_s = time.monotonic() - began_s if all_parked else None
            awaiting = await _awaiting(site, setup.deadline_s)
            memory_mb = {
                "workers while parked": workers_mb(site.stack),
                "servers while parked": servers_mb(site.stack),
            }
            setup.tell("everything is restarted")
            restart = await site.restart_everything()
            early = len(follower.ended_s)
            if (kept := stored(site.stack)[Role.SERVERS]) is not None:
                memory_mb["stored on disk"] = kept.apparent_bytes / 1e6
            memory_mb["servers after the restart"] = servers_mb(site.stack)

            setup.tell(f"{setup.size} signals are sent, as fast as the client can")
            woken_s: dict[str, float] = {}

            async def approve(workflow_id: str) -> None:
                planned = site.planned[workflow_id]
                woken_s[workflow_id] = time.monotonic()
                await signal(site, planned, _WAIT, {"approved": _good(planned), "by": "bakeoff"})

            began_s = time.monotonic()
            peaks = Peak(lambda: workers_mb(site.stack)), Peak(lambda: servers_mb(site.stack))
            async with (
                beside(peaks[0].watch()),
                beside(peaks[1].watch()),
                telling(setup, lambda: f"{len(woken_s)} signalled, {len(follower.ended_s)} done"),
            ):
                await each(site.planned, approve)
                signalled_s = time.monotonic() - began_s
                done = await until(lambda: len(follower.ended_s) == setup.size, setup.deadline_s)
            done_s = time.monotonic() - began_s if done else None
            setup.tell("every outcome is asked for")
            await ask(site, site.planned)

            evidence = evidence_of(site, saga, site.planned, stock=site.stock)
            floors = [
                (all_parked, f"only {parked()} of {setup.size} were parked by the deadline"),
                (awaiting == min(_LOOKS, setup.size), f"the engine said of {awaiting} that they wait"),
                (restart.ended == restart.processes, "a process outlived the restart"),
                (early == 0, f"{early} sagas were done before their signal"),
            ]
            took_s = [
                follower.ended_s[one] - at_s for one, at_s in woken_s.items() if one in follower.ended_s
            ]
            return OrdealResult(
                **conclude(evidence, floors),
                integers={
                    "parked": parked(),
                    "processes restarted": restart.ended,
                    "signals": len(woken_s),
                    "done": len(follower.ended_s),
                    "attempts beyond the plan": extra_attempts(evidence),
                },
                times_s={
                    "all starts answered": started_s,
                    "all parked": parked_s,
                    "everything down": restart.down_s,
                    "everything up": restart.up_s,
                    "all signals answered": signalled_s,
                    "all done after the first signal": done_s,
                    **percentiles(took_s, "signal to end"),
                },
                rates_per_s={
                    "parked": setup.size / parked_s if parked_s else None,
                    "woken": setup.size / done_s if done_s else None,
                },
                memory_mb={
                    **memory_mb,
                    "workers at their highest": peaks[0].highest_mb,
                    "servers at their highest": peaks[1].highest_mb,
                },
            )


def _good(planned: Planned) -> bool:
    return str(planned.expected.status) == "completed"


async def _awaiting(site: Site, within_s: float) -> int:
    """Of how many of a sample, the last one among them, the engine itself says that they wait."""
    client, ids = site.stack.client, list(site.planned)
    sample: Sequence[str] = ids[:: -max(1, len(ids) // _LOOKS)][:_LOOKS]
    if not isinstance(client, Describes):
        return len(sample)
    said, deadline = 0, time.monotonic() + within_s
    for workflow_id in sample:
        # The reservation is in the ledger before the engine has come to the wait; in one queue, long before.
        while not (waits := (await client.describe(workflow_id)).awaiting == _WAIT):
            if time.monotonic() > deadline:
                break
            await asyncio.sleep(0.1)
        said += waits
    return said
