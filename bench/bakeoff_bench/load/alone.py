"""What a generator can offer by itself: it starts sagas of an engine of which no worker runs."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from bakeoff_bench.load.generator.sample import read_samples
from bakeoff_bench.load.generator.task import SAMPLES
from bakeoff_bench.load.order import LoadOrder
from bakeoff_bench.load.play import effort_in, generate
from bakeoff_bench.load.stage import Stage

#: A generator that cannot offer so many times what its engine sustains measures itself.
FACTOR = 3.0
#: Seconds that nobody is waited for: no saga will ever settle.
_PATIENCE_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Alone:
    """What became of it.

    Attributes:
        offered_per_s: What was due.
        started_per_s: What the engine's servers accepted.
        void: What would have made such a load void; empty: one process can offer that.
    """

    offered_per_s: float
    started_per_s: float
    void: list[str]

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return asdict(self)


async def offer_alone(stage: Stage, order: LoadOrder, folder: Path) -> Alone:
    """Take the workers away, for good, and offer the load; its sagas are nobody's, and never run.

    Args:
        stage: Its turn it is.
        order: Rate and seconds.
        folder: For what the generator writes; it is gone afterwards.

    Raises:
        BakeoffError: If the generator failed.
    """
    if stage.stack.workers is not None:
        await stage.stack.workers.stop()
    order = replace(
        order, deployment=str(stage.stack.deployment_file), folder=str(folder), patience_s=_PATIENCE_S
    )
    arrivals = await asyncio.to_thread(stage.prepare, order)
    try:
        await generate(stage, order, folder, arrivals)
        effort, _ = effort_in(folder)
        moments = [one.accepted_s for one in read_samples(folder / SAMPLES)]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    accepted = sum(at_s is not None and at_s < order.seconds for at_s in moments)
    return Alone(
        offered_per_s=len(arrivals) / order.seconds,
        started_per_s=accepted / order.seconds,
        void=effort.void(),
    )
