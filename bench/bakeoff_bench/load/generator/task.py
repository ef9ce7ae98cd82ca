"""A generator's work from the order to the files: connect, load, write down, let go."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from bakeoff.deployment import Deployment
from bakeoff.history import History
from bakeoff.patience import connected, disconnect
from bakeoff.plugins import Plugins
from bakeoff.registry import find_saga, load_sagas
from bakeoff.world import World
from bakeoff_bench.load.generator.drive import Generator
from bakeoff_bench.load.generator.guard import Effort
from bakeoff_bench.load.generator.sample import Sample, SampleFile
from bakeoff_bench.load.order import LoadOrder, shares
from bakeoff_bench.run.tail import LedgerTail

#: Names in a generator's folder; several generators of one load have a folder each.
SAMPLES, HISTORY, EFFORT, BEGAN = "samples.jsonl", "history.jsonl", "generator.json", "began.json"
#: Seconds between two looks at the ledger: settlements are seen so much too late at the most.
LOOK_S = 0.005


async def generate(
    order: LoadOrder, on_over: Callable[[Sample], None], *, number: int = 0, of: int = 1
) -> Effort:
    """Do a generator's share of a load.

    Args:
        order: The load.
        on_over: Is told of every saga, in this thread.
        number, of: Which share of how many.
    """
    folder = Path(order.folder)
    folder.mkdir(parents=True, exist_ok=True)
    deployment = Deployment.load(Path(order.deployment))
    engine = Plugins().engine(deployment.engine)
    saga = find_saga(order.saga, load_sagas(deployment.sagas))
    world = World.open(deployment.world_url)
    samples = SampleFile(folder / SAMPLES)

    def over(sample: Sample) -> None:
        samples.add(sample)
        on_over(sample)

    try:
        arrivals = shares(order.arrivals(saga), number, of)
        client = await connected(engine, deployment)
        try:
            with History(folder / HISTORY) as history:
                generator = Generator(
                    order=order,
                    arrivals=arrivals,
                    client=client,
                    info=engine.info(deployment.settings),
                    saga=saga,
                    tail=LedgerTail(world, LOOK_S, world.ledger_end()),
                    history=history,
                    on_over=over,
                    on_begin=lambda at_s: note(folder / BEGAN, at_s),
                )
                effort = await generator.run()
        finally:
            await disconnect(engine, client)
    finally:
        samples.close()
        world.close()
    about = {"began_s": generator.began_s, "sent": generator.sent, **effort.to_json()}
    note(folder / EFFORT, about)
    return effort


def note(file: Path, value: object) -> None:
    """Complete or not there at all."""
    unfinished = file.with_suffix(".new")
    unfinished.write_text(json.dumps(value))
    unfinished.replace(file)
