"""What is left of a load when the next one begins."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bakeoff.cli.options import choose_engines, choose_saga
from bakeoff.settings import ConfigClass
from bakeoff_bench.load.order import LoadOrder
from bakeoff_bench.load.play import Played, play
from bakeoff_bench.load.stage import Stage, staged
from bakeoff_scenarios import find_load
from tests.tiers import more

pytestmark = [pytest.mark.service, pytest.mark.slow]

#: Arrivals per second, several times what any engine does on one machine.
_TOO_MANY = 800.0
_SECONDS = 1.0


async def _overload(stage: Stage, folder: Path) -> Played:
    """Far more sagas than can be done in the time for which they are waited for."""
    order = LoadOrder(
        deployment="",
        saga=stage.saga.name,
        load="order-steady",
        rate=_TOO_MANY,
        seconds=_SECONDS,
        process="constant",
        seed=1,
        arrival_seed=1,
        label="o1",
        patience_s=0.5,
    )
    return await play(stage, order, folder, warm_up_s=0.0)


async def _left_by_an_overload(engine: str, folder: Path) -> tuple[Played, int, int]:
    """The load, how many sagas may still settle after it, and how many of those do not."""
    load = find_load("order-steady")
    saga, references = choose_saga(load.saga)
    (chosen,) = choose_engines([engine], config=ConfigClass.CI)
    async with staged(
        chosen,
        load,
        saga,
        references,
        folder / "engine",
        seed=1,
        workers=1,
        slots=4,
        ledger="sqlite",
        prefix="bakeoff-test-",
        faults=False,
    ) as stage:
        played = await _overload(stage, folder / "load")
        return played, len(stage.open), await stage.drained()


@pytest.mark.parametrize(("engine", "goes_on"), [more("inline", False), ("dramatiq", True)])
def test_sagas_that_end_with_their_generator_are_not_waited_for(
    tmp_path: Path, engine: str, goes_on: bool
) -> None:
    """Workers go on with what an overload left; what ran inside the generator is gone, and nobody's loss."""
    played, left_open, left_for_good = asyncio.run(_left_by_an_overload(engine, tmp_path))

    assert played.measured.censored > 0
    assert played.measured.stuck == 0
    assert bool(left_open) is goes_on
    assert left_for_good == 0
