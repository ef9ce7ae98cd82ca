"""The verdict on everything that one Locust did to an engine."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from bakeoff.checkers import Evidence, Planned, Shape, settled_by_plan
from bakeoff.cli.screen import say
from bakeoff.engine import Capability, Support
from bakeoff.world import Record
from bakeoff_bench.load.gathered import gather, pooled
from bakeoff_bench.load.locust_loads import LocustLoads
from bakeoff_bench.load.stage import Stage
from bakeoff_bench.run.batches import Batches
from bakeoff_bench.run.folder import keep_worlds
from bakeoff_bench.run.result import judged_whole, withdraw

_POLL_S = 0.1
#: Seconds that sagas of a load that was broken off get to end; without a record for so long, all have.
_LET_END_S, _QUIET_S = 30.0, 2.0
#: Findings of an invariant that are said.
_SHOWN = 3


async def judge(loads: LocustLoads) -> int:
    """Judge the whole ledger, and say so.

    Returns:
        0 if it is valid and every load counts, else 1.
    """
    open_ = await _take_broken_off(loads)
    stage = loads.stage
    if not stage.counts:
        say("no saga was started; there is nothing to judge")
        return 1
    judged = await asyncio.to_thread(_judged, stage, loads.fault is not None)
    if open_:
        withdraw(judged, f"a load was broken off before {open_} sagas had their time")
    elif loads.overloaded and not loads.stuck and judged["validity"] == "invalid":
        withdraw(judged, "more came than could be done, so not every saga had its time")
    say(f"ledger: {judged['validity']}; " + ", ".join(f"{n} {k}" for k, n in judged["counts"].items() if n))
    for verdict in judged["verdicts"]:
        if verdict["validity"] not in ("valid", "not applicable"):
            why = "; ".join(filter(None, [verdict["reason"], *verdict["findings"][:_SHOWN]]))
            say(f"  {verdict['invariant']}: {verdict['validity']}: {why}")
    return int(loads.void or judged["validity"] != "valid")


async def _take_broken_off(loads: LocustLoads) -> int:
    """Add what was started of loads that were broken off; return how many of these sagas have not ended.

    What a generator sent, and did not live to tell, shows in the ledger alone, once it is worked on.
    """
    if not loads.broken_off:
        return 0
    stage, started = loads.stage, dict[str, Planned]()
    await _quiet(stage)
    deadline_s = time.monotonic() + (0.0 if stage.stack.info.in_process else _LET_END_S)
    while True:
        records = await asyncio.to_thread(_records, stage, min(load.before for load in loads.broken_off))
        for load in loads.broken_off:
            sent = {one.workflow_id for one in pooled(gather(load.folder)) if one.sent_s is not None}
            started |= {k: one for k, one in load.plans().items() if k in sent or k in records}
        left = sum(not settled_by_plan(one.expected, records.get(k, ())) for k, one in started.items())
        if not left or time.monotonic() > deadline_s:
            break
        await _quiet(stage)
    files = [part.history for load in loads.broken_off for part in gather(load.folder)]
    stage.keep(started, [file for file in files if file is not None])
    return left


async def _quiet(stage: Stage) -> None:
    """Wait until no record has come for a while; not for ever, for others may be at work."""
    world = stage.stack.world
    last, since_s = world.ledger_end(), time.monotonic()
    deadline_s = since_s + _LET_END_S
    while (now_s := time.monotonic()) - since_s < _QUIET_S and now_s < deadline_s:
        await asyncio.sleep(_POLL_S)
        if (end := world.ledger_end()) != last:
            last, since_s = end, time.monotonic()


def _records(stage: Stage, after: int) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    for record in stage.stack.world.ledger(after=after):
        found.setdefault(record.workflow_id, []).append(record)
    return found


def _judged(stage: Stage, faults: bool) -> dict[str, Any]:
    keep_worlds([(stage.stack.world.engine, stage.folder / "world.db")])
    claim = stage.stack.info.claims[Capability.OUTCOME]
    common = Evidence(
        engine=stage.stack.engine.name,
        shape=Shape.of(stage.saga),
        planned={},
        counts=dict(stage.counts),
        ledger=(),
        operations=(),
        silent=claim.reason if claim.support is Support.ABSENT else "",
        engine_faults=faults,
    )
    return judged_whole(Batches(part=stage.folder, common=common, stock=stage.stock))
