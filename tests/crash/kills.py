"""A running engine and kills on it, for tests of points and judge."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bakeoff.history import History
from bakeoff.nemesis import Fault, WorkerKill
from bakeoff.orders.loader import real_orders
from bakeoff.orders.model import Order
from bakeoff.plugins import Plugins
from bakeoff.settings import ConfigClass, resolve
from bakeoff.stack import StackPlan, running_stack
from bakeoff.world.world import Participants
from bakeoff_bench.crash.contestants import Contestant
from bakeoff_bench.crash.hosted import hosted_stack
from bakeoff_bench.crash.kill import BESIDE, Kills
from bakeoff_bench.crash.outcome import KillOutcome
from bakeoff_bench.crash.points import points_of, windows_of
from bakeoff_bench.crash.record import Kill

_TRIES = 3


@dataclass(frozen=True)
class Shot:
    """One kill: a point of a saga by its name, and the fault."""

    point: str
    saga: str = "order"
    fault: Fault = WorkerKill()  # noqa: RUF009 - frozen


def make_kills(
    folder: Path,
    engine_name: str,
    shots: Sequence[Shot],
    *,
    overrides: Mapping[str, str] | None = None,
    participants: Participants = "idempotent",
    deadline_s: float = 40.0,
) -> list[Kill]:
    """Bring the engine up, make the kills one after the other, and take it down."""
    return asyncio.run(_make(folder, engine_name, shots, overrides, participants, deadline_s))


async def _make(
    folder: Path,
    engine_name: str,
    shots: Sequence[Shot],
    overrides: Mapping[str, str] | None,
    participants: Participants,
    deadline_s: float,
) -> list[Kill]:
    engine = Plugins().engine(engine_name)
    settings = resolve(engine_name, engine.info().settings, ConfigClass.CI, overrides)
    contestant = Contestant(label=engine_name, engine=engine, settings=settings, sets=(), raws=())
    up = hosted_stack if engine.info(settings).in_process else running_stack
    plan = StackPlan(
        engine=engine,
        settings=settings,
        folder=folder,
        sagas=("bakeoff.orders", "bakeoff.business"),
        participants=participants,
        faults=True,
    )
    orders = some_orders(_TRIES * len(shots) * (1 + BESIDE))
    async with up(plan) as stack:
        book = list(orders)
        stack.world.add_orders(book)
        units = [order.units() for order in book]
        stack.world.set_stock({sku: sum(one.get(sku, 0) for one in units) for all in units for sku in all})
        waiting = iter(book)
        kills: list[Kill] = []
        for number, shot in enumerate(shots):
            saga = stack.sagas[shot.saga]
            aims = points_of(saga, windows_of(saga, [(engine, settings)]))
            for again in range(_TRIES):  # what did not land on a busy machine says nothing
                file = folder / f"history-{number}-{again}.jsonl"
                with History(file) as history:
                    maker = Kills(
                        stack=stack,
                        saga=saga,
                        history=history,
                        history_file=file,
                        deadline_s=deadline_s,
                        lease_s=contestant.lease_s,
                    )
                    used = [next(waiting) for _ in range(1 + BESIDE)]
                    kill = await maker.kill(shot.fault, aims[shot.point], used)
                if kill.outcome is not KillOutcome.VOID:
                    break
            kills.append(kill)
        return kills


def some_orders(count: int) -> Iterator[Order]:
    """Real orders that are not cancellations."""
    book = [order for order in real_orders(3 * count).orders if not order.cancelled]
    return iter(book[:count])
