"""A crash run: stacks come up, engines take turns kill by kill, every kill is written down at once."""

from __future__ import annotations

import json
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from bakeoff.cli.screen import say
from bakeoff.history import History
from bakeoff.stack import StackPlan, running_stack
from bakeoff_bench.crash.hosted import hosted_stack
from bakeoff_bench.crash.kill import BESIDE, Kills
from bakeoff_bench.crash.plan import CrashPlan

KILLS_FILE = "kills.jsonl"


async def conduct(plan: CrashPlan, folder: Path) -> list[dict[str, Any]]:
    """Make every kill of the plan; return one row per kill, as they stand in ``kills.jsonl``.

    Raises:
        UsageError, ServerStartError: If a stack does not come up, or its workers cannot be kept alive.
    """
    rows: list[dict[str, Any]] = []
    orders = plan.orders()
    began_s = time.monotonic()
    async with AsyncExitStack() as stacks:
        engines: dict[str, Kills] = {}
        for chosen in plan.engines:
            engines[chosen.name] = await _bring_up(plan, chosen.name, folder, stacks)
            world = engines[chosen.name].stack.world
            world.add_orders(orders)
            world.set_stock(
                {sku: sum(o.units().get(sku, 0) for o in orders) for o in orders for sku in o.units()}
            )
        file = stacks.enter_context((folder / KILLS_FILE).open("a", buffering=1))
        waiting = iter(orders)
        for fault, point in plan.shots():
            used = [next(waiting) for _ in range(1 + BESIDE)]
            for name, kills in engines.items():
                _check_workers(kills)
                kill = await kills.kill(fault, plan.points[point], used)
                row = {"engine": name, "fault": fault.name, "point": point, **kill.to_json()}
                rows.append(row)
                file.write(json.dumps(row) + "\n")
                _tell(row, len(rows), plan.kills_in_all, time.monotonic() - began_s)
        say("stopping servers and workers ...")
    return rows


async def _bring_up(plan: CrashPlan, name: str, folder: Path, stacks: AsyncExitStack) -> Kills:
    chosen = next(one for one in plan.engines if one.name == name)
    in_process = chosen.engine.info(chosen.settings).in_process
    stack = await stacks.enter_async_context(
        (hosted_stack if in_process else running_stack)(
            StackPlan(
                engine=chosen.engine,
                settings=chosen.settings,
                folder=folder / name,
                sagas=plan.references,
                ledger=plan.ledger,
                faults=True,
            )
        )
    )
    file = folder / name / "history.jsonl"
    return Kills(
        stack=stack,
        saga=stack.sagas[plan.saga.name],
        history=stacks.enter_context(History(file)),
        history_file=file,
        deadline_s=plan.deadline_s,
    )


def _check_workers(kills: Kills) -> None:
    workers = kills.stack.workers
    if workers is not None and workers.failure is not None:
        raise workers.failure


def _tell(row: dict[str, Any], done: int, of: int, seconds: float) -> None:
    left_s = seconds / done * (of - done)
    recovered = f", recovered after {row['recovery_s']:.1f} s" if row["recovery_s"] is not None else ""
    detail = f" ({row['detail']})" if row["detail"] else ""
    say(
        f"{done} of {of}, about {left_s:.0f} s left: {row['engine']}, {row['fault']} at {row['point']}: "
        f"{row['outcome']}{detail}{recovered}"
    )
