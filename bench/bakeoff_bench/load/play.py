"""One load on one engine: the generator is started, watched, and what it wrote is summed up."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bakeoff.checkers import Planned
from bakeoff.errors import BakeoffError
from bakeoff.processes import Launch
from bakeoff_bench.load.bystanders import Beside, Bystanders
from bakeoff_bench.load.generator.guard import Effort
from bakeoff_bench.load.generator.sample import Sample, read_samples
from bakeoff_bench.load.generator.task import BEGAN, EFFORT, HISTORY, SAMPLES
from bakeoff_bench.load.histograms import Histograms
from bakeoff_bench.load.measured import Measured, measure, stuck_in
from bakeoff_bench.load.order import ORDER_VARIABLE, LoadOrder
from bakeoff_bench.load.parts import parts_of
from bakeoff_bench.load.stage import Stage
from bakeoff_bench.load.strike import Strike, Struck, strike
from bakeoff_bench.meter import ResourceMeter, ResourceUsage
from bakeoff_bench.meter.roles import DEPLOYMENT
from bakeoff_bench.meter.usage import TOTAL
from bakeoff_bench.ordeals.dip import dip_of
from bakeoff_scenarios import Arrival, duration_s

#: Name of what a generator is told, in the folder of its load.
ORDER = "order.json"
_POLL_S = 0.1
#: Seconds that Locust and an SDK may need until they begin, and until they have ended.
_START_S, _END_S = 30.0, 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A load that is over.

    Attributes:
        measured: Its numbers.
        samples: Of every saga that was sent.
        histograms: Of those after the warm-up.
        started: ``{workflow id: plan}`` of those that were sent.
        histories: Of its generators.
        usage: Of its servers, workers and generator, with the samples.
    """

    measured: Measured
    samples: Sequence[Sample]
    histograms: Histograms
    started: dict[str, Planned]
    histories: Sequence[Path]
    usage: ResourceUsage


async def play(
    stage: Stage,
    order: LoadOrder,
    folder: Path,
    *,
    warm_up_s: float,
    fault: Strike | None = None,
    lease_s: float = 0.0,
    undisturbed: bool = False,
    tell: Callable[[str], None] = lambda text: None,
) -> Played:
    """Do one load.

    Args:
        stage: The engine.
        order: What to do; its folder and deployment are filled in here.
        folder: A new one for what the generator writes.
        warm_up_s: Seconds whose arrivals do not count.
        fault: What is done meanwhile.
        lease_s: Seconds after which the engine may still come back to what it left.
        undisturbed: Whether a load beside which others used the machine is void; else that is written down.
        tell: Progress, in a few words.

    Raises:
        BakeoffError: If the generator failed, with the end of its log.
    """
    order = replace(order, deployment=str(stage.stack.deployment_file), folder=str(folder))
    left = await stage.drained()
    arrivals = await asyncio.to_thread(stage.prepare, order)
    before = stage.stack.world.ledger_end()
    struck, usage, metered_from_s, beside = await generate(stage, order, folder, arrivals, fault, tell)
    samples = list(read_samples(folder / SAMPLES))
    effort, began_s = effort_in(folder)
    # A closed loop ends when its last sagas do; until then fewer and fewer are in flight.
    arriving_s = min(effort.arriving_s, order.seconds) if order.users else duration_s(order.legs())
    numbers, histograms = measure(
        samples, effort=effort, arriving_s=arriving_s, warm_up_s=warm_up_s, closed=bool(order.users)
    )
    plans = {one.planned.workflow_id: one.planned for one in arrivals}
    started = {one.workflow_id: plans[one.workflow_id] for one in samples if one.sent_s is not None}
    histories = [folder / HISTORY]
    unsettled = {one.workflow_id for one in samples if one.settled_s is None}
    stage.settled += [one.workflow_id for one in samples if one.settled_s is not None]
    stuck = stuck_in(samples, effort.seconds, lease_s)
    # What runs in the generator has ended with it, and a start that was never acknowledged may not be there:
    # nobody may be left who could settle them.
    if not stuck and not stage.stack.info.in_process:
        accepted = [one for one in samples if one.accepted_s is not None]
        stage.open.update({id_: started[id_] for one in accepted if (id_ := one.workflow_id) in unsettled})
    # More came than could be done: who was left is censored, and nobody's loss. Otherwise they are stuck.
    overloaded = not numbers["kept_up"] and not stuck
    due = {k: one for k, one in started.items() if k not in unsettled} if overloaded else started
    judged = await asyncio.to_thread(stage.judge, due, histories, before, fault is not None)
    done = about_fault(fault, struck, samples, began_s)
    missed = [f"the fault did not strike: {why}"] if (why := done.get("missed")) else []
    missed += [f"{left} sagas of an earlier load were still open"] if left else []
    missed += ran_dry(order, arriving_s, warm_up_s)
    histograms.store(folder)
    disturbing = beside.void() if undisturbed else []
    measured = Measured(
        **{**numbers, "void": [*numbers["void"], *missed, *disturbing]},
        validity=str(judged.validity),
        reasons=judged.reasons,
        fault=done,
        cost=_cost(usage, samples, effort),
        stuck=stuck,
        left_open=left,
        beside=beside.to_json(),
        disturbed=bool(disturbing),
        parts=[] if order.users else parts_of(order.legs(), samples, usage.samples, metered_from_s - began_s),
    )
    return Played(
        measured=measured,
        samples=samples,
        histograms=histograms,
        started=started,
        histories=histories,
        usage=usage,
    )


async def generate(
    stage: Stage,
    order: LoadOrder,
    folder: Path,
    arrivals: Sequence[Arrival],
    fault: Strike | None = None,
    tell: Callable[[str], None] = lambda text: None,
) -> tuple[Struck, ResourceUsage, float, Beside]:
    """Run the generator process to its end and do the fault meanwhile.

    Returns:
        What became of the fault; what was used, and from which monotonic second on; what else the machine
        did meanwhile.

    Raises:
        BakeoffError: If the generator failed, with the end of its log.
    """
    folder.mkdir(parents=True, exist_ok=True)
    order.write(folder / ORDER)
    launcher, bystanders = stage.generators, Bystanders()
    child = launcher.start(f"generator-{order.label}", _locust(folder / ORDER))
    meter, metered_from_s = ResourceMeter(stage.stack, [child.pid]), time.monotonic()
    await asyncio.to_thread(meter.start)
    striking: asyncio.Task[Struck] | None = None
    most_s = _START_S + order.seconds + order.patience_s + _END_S
    deadline_s = time.monotonic() + most_s
    try:
        while child.alive:
            if time.monotonic() > deadline_s:
                raise BakeoffError(f"the generator did not end within {most_s:.0f} s\n{child.log_tail()}")
            if (failure := stage.stack.failure) is not None:
                raise failure
            over = _lines(folder / SAMPLES)
            tell(f"{over} of {len(arrivals)} sagas are over")
            if fault is not None and striking is None and (began := _began_s(folder)) is not None:
                striking = asyncio.create_task(strike(stage.stack, fault, arrivals, began))
            await asyncio.sleep(_POLL_S)
        usage = await asyncio.to_thread(meter.stop)
        beside = bystanders.seen(_cpu_s(usage))
        if child.popen.returncode or not (folder / EFFORT).exists():
            raise BakeoffError(
                f"the generator failed (exit code {child.popen.returncode})\n{child.log_tail()}"
            )
        nothing = Struck(missed="" if fault is None else "the load was over before the fault was armed")
        return await striking if striking is not None else nothing, usage, metered_from_s, beside
    finally:
        if striking is not None and not striking.done():
            striking.cancel()
            await asyncio.gather(striking, return_exceptions=True)
        await asyncio.to_thread(launcher.stop, child)


def ran_dry(order: LoadOrder, arriving_s: float, warm_up_s: float) -> list[str]:
    """That a closed loop had no sagas left half-way: its rate is over the time that it lasted, if any."""
    if order.users and arriving_s < (warm_up_s + order.seconds) / 2:
        return [f"the closed loop had no sagas left after {arriving_s:.1f} s"]
    return []


def effort_in(folder: Path) -> tuple[Effort, float]:
    """What a load cost its generator, and the monotonic second at which it began."""
    about = json.loads((folder / EFFORT).read_text())
    began_s = float(about.pop("began_s"))
    about.pop("sent")
    return Effort(**about), began_s


def _cpu_s(usage: ResourceUsage) -> float:
    """Of everything that was ours."""
    return sum(one.cpu_s for role, one in usage.roles.items() if role != TOTAL and one is not None)


def _cost(usage: ResourceUsage, samples: Sequence[Sample], effort: Effort) -> dict[str, Any]:
    """The bill of the whole load, its warm-up and its end included, and of a thousand sagas.

    The generator's share is what it used while sagas arrived: a second of imports, spread over the few sagas
    of a short load, would be the larger part of it otherwise.
    """
    settled = sum(one.settled_s is not None for one in samples)
    each = usage.per_1000(settled)
    if settled and each.get("cpu_s.client") is not None:
        each["cpu_s.client"] = effort.cpu_s * 1000 / settled
        parts = [value for role in DEPLOYMENT if (value := each.get(f"cpu_s.{role}")) is not None]
        each["cpu_s.total"] = sum(parts) if each["cpu_s.total"] is not None else None
    return {**usage.to_json(), "settled": settled, "per_1000": each}


def _locust(order: Path) -> Launch:
    """Headless, one user (the whole load), and nothing but the locustfile's own output."""
    locustfile = Path(__file__).parent / "generator" / "locustfile.py"
    return Launch(
        argv=[
            *(sys.executable, "-m", "locust", "--locustfile", str(locustfile), "--headless"),
            *("--users", "1", "--spawn-rate", "1", "--only-summary", "--exit-code-on-error", "0"),
            *("--stop-timeout", "5", "--loglevel", "WARNING"),
        ],
        env={ORDER_VARIABLE: str(order), "LOCUST_SKIP_MONKEY_PATCH": "1"},
        stop_within_s=5.0,
    )


def _began_s(folder: Path) -> float | None:
    """Monotonic seconds at which the first saga was due, as the generator says."""
    file = folder / BEGAN
    return float(json.loads(file.read_text())) if file.exists() else None


def _lines(file: Path) -> int:
    if not file.exists() or not os.path.getsize(file):  # noqa: PTH202
        return 0
    with file.open("rb") as opened:
        return sum(block.count(b"\n") for block in iter(lambda: opened.read(1 << 20), b""))


def about_fault(
    fault: Strike | None, struck: Struck, samples: Sequence[Sample], began_s: float
) -> dict[str, Any]:
    """The dip, the drain, and what those paid who were in flight or came right behind."""
    if fault is None:
        return {}
    about: dict[str, Any] = {"fault": fault.name, "after_s": fault.after_s, "missed": struck.missed}
    if struck.at_s is None:
        return about
    at_s = struck.at_s - began_s
    sent = [one for one in samples if not one.shed]
    arrived = {one.workflow_id: one.due_s for one in sent}
    ended = {one.workflow_id: one.settled_s for one in sent if one.settled_s is not None}
    hit = [one for one in sent if one.due_s <= at_s and (one.settled_s is None or one.settled_s > at_s)]
    ends = [one.settled_s for one in hit if one.settled_s is not None]
    waited = [one.settled_s - one.due_s for one in hit if one.settled_s is not None]
    about |= {
        "at_s": at_s,
        "seen": struck.seen,
        "in_flight": len(hit),
        "in_flight_lost": len(hit) - len(ends),
        "recovery_s": max(ends) - at_s if hit and len(ends) == len(hit) else None,
        "hit_p50_s": statistics.median(waited) if waited else None,
        "hit_slowest_s": max(waited) if waited and len(ends) == len(hit) else None,
    }
    if not min(arrived.values()) < at_s < max(arrived.values()):
        return about | {"missed": "it struck when no more sagas arrived"}
    dip = dip_of(arrived, ended, at_s)
    return about | {
        "silent_s": dip.silent_s,
        "drained_s": dip.drained_s,
        "lowest_share_before": dip.lowest_share_before,
        "lowest_share": dip.lowest_share,
        "open_before": dip.open_before,
        "open_after": dip.open_after,
    }
