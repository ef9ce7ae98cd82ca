"""The next saga that comes to the point is struck, however long ago it should have started."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import func, select

from bakeoff.nemesis import Landing
from bakeoff.world import Aim, Point, reached, schema
from bakeoff_bench.load.strike import Strike, Struck, strike
from tests.unit.clerk import Clerk, make_world

_AIM = Aim("reserve_inventory", "action", Point.BEFORE_EFFECT)


class _Noted:
    """A fault that only says which saga it met."""

    name = "noted"

    def __init__(self) -> None:
        self.met: list[str] = []

    async def inject(self, target: Any) -> Landing:
        self.met.append(target.at.workflow_id)
        return Landing(at_s=time.monotonic(), ended=())

    async def heal(self, target: Any) -> None:
        """Nothing was done."""


def _armed(clerk: Clerk) -> bool:
    """Whether some saga is held when it comes to its point."""
    with clerk.world.engine.connect() as connection:
        return bool(connection.scalar(select(func.count()).select_from(schema.armed_points)))


def _struck(clerk: Clerk, due_s: float, number: str) -> tuple[Struck, list[str]]:
    """One saga is due at ``due_s`` of a load whose fault is armed at 20 s; it comes to the point now."""
    fault = _Noted()
    planned: Any = Strike(fault=fault, point="p", aim=_AIM, after_s=20.0)  # type: ignore[arg-type]
    arrival: Any = SimpleNamespace(at_s=due_s, planned=SimpleNamespace(workflow_id=f"order-{number}"))
    stack: Any = SimpleNamespace(world=clerk.world)

    async def both() -> Struck:
        striking = asyncio.create_task(strike(stack, planned, [arrival], time.monotonic() - 20.0))
        while not striking.done() and not await asyncio.to_thread(_armed, clerk):
            await asyncio.sleep(0.02)  # the strike gives up by itself
        await asyncio.to_thread(clerk.attempt, number, "reserve_inventory")
        return await striking

    return asyncio.run(both()), fault.met


@pytest.fixture
def clerk(tmp_path: Path) -> Any:
    world = make_world(tmp_path, faults=True)
    yield Clerk(world)
    world.close()


@pytest.mark.parametrize("due_s", [25.0, 20.0, 3.0])
def test_it_strikes_who_comes_next_and_lets_him_go(clerk: Clerk, due_s: float) -> None:
    struck, met = _struck(clerk, due_s, "1")

    assert struck.missed == ""
    assert met == ["order-1"]
    assert len(reached(clerk.world.engine)) == 1
    assert len(clerk.kinds("1")) == 2, "it went on"


def test_without_a_saga_near_it_says_so(clerk: Clerk) -> None:
    struck, met = _struck(clerk, 300.0, "1")

    assert (struck.missed, met) == ("no saga starts within 10 s after 20 s", [])
