"""What the generators of one load wrote, as one load."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bakeoff_bench.load.generator.guard import Effort
from bakeoff_bench.load.generator.sample import Sample, read_samples
from bakeoff_bench.load.generator.task import BEGAN, EFFORT, HISTORY, SAMPLES
from bakeoff_bench.load.histograms import Histograms
from bakeoff_bench.load.measured import measure
from bakeoff_bench.load.order import LoadOrder
from bakeoff_bench.load.play import effort_in
from bakeoff_scenarios import duration_s

#: Moments of a sample, which are counted from its generator's own beginning.
_MOMENTS = ("intended_s", "due_s", "sent_s", "accepted_s", "settled_s", "told_s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """One generator's part in a load.

    Attributes:
        number: From 0.
        samples: Of every saga of its share that is over, in seconds after its own beginning.
        history: File of what its client saw; ``None`` if it did not come that far.
        effort: What the load cost it; ``None`` if it did not come to its end.
        began_s: Its beginning, in monotonic seconds of this machine; ``None`` before that.
    """

    number: int
    samples: Sequence[Sample]
    history: Path | None
    effort: Effort | None
    began_s: float | None


def gather(folder: Path) -> list[Gathered]:
    """Read a load's folder: several generators have one each in there, one alone has all of it."""
    folders = {int(one.name.rpartition("-")[2]): one for one in folder.glob("generator-*")}
    return [_gathered(number, one) for number, one in sorted((folders or {0: folder}).items())]


def began_first_s(folder: Path) -> float | None:
    """When the first generator of a load began, in monotonic seconds of this machine."""
    return min((json.loads(file.read_text()) for file in folder.rglob(BEGAN)), default=None)


def pooled(parts: Iterable[Gathered]) -> list[Sample]:
    """Of all generators, each counted from its own beginning, as it was asked for."""
    return [sample for part in parts for sample in part.samples]


def in_one_clock(parts: Sequence[Gathered], began_s: float) -> list[Sample]:
    """Of all generators, counted from one moment: for what happened to all of them at once.

    Args:
        parts: The generators.
        began_s: The moment, in monotonic seconds of this machine.
    """
    return [
        sample if (later_s := (part.began_s or began_s) - began_s) == 0 else _shifted(sample, later_s)
        for part in parts
        for sample in part.samples
    ]


def measure_all(
    parts: Sequence[Gathered], order: LoadOrder, warm_up_s: float
) -> tuple[dict[str, Any], Histograms] | None:
    """Sum up as ``measure`` does; ``void`` names the generator where there are several.

    Args:
        parts: The generators.
        order: The load.
        warm_up_s: Seconds whose arrivals do not count.

    Returns:
        ``None`` if one of them did not come to its end: what the others did was not this load.
    """
    efforts = [part.effort for part in parts if part.effort is not None]
    if len(efforts) < len(parts):
        return None
    together = Effort(
        seconds=max(one.seconds for one in efforts),
        arriving_s=max(one.arriving_s for one in efforts),
        cpu_s=sum(one.cpu_s for one in efforts),
        lag_p99_s=max(one.lag_p99_s for one in efforts),
        late_p99_s=max(one.late_p99_s for one in efforts),
        late_max_s=max(one.late_max_s for one in efforts),
        sheds=sum(one.sheds for one in efforts),
        in_process=any(one.in_process for one in efforts),
    )
    # A closed loop ends when its last sagas do; until then fewer and fewer are in flight.
    arriving_s = min(together.arriving_s, order.seconds) if order.users else duration_s(order.legs())
    numbers, histograms = measure(
        pooled(parts), effort=together, arriving_s=arriving_s, warm_up_s=warm_up_s, closed=bool(order.users)
    )
    void = [
        f"generator {part.number}: {why}" if len(parts) > 1 else why
        for part in parts
        if part.effort is not None
        for why in part.effort.void()
    ]
    return {**numbers, "void": void}, histograms


def _gathered(number: int, folder: Path) -> Gathered:
    history = folder / HISTORY
    return Gathered(
        number=number,
        samples=list(read_samples(folder / SAMPLES)),
        history=history if history.exists() else None,
        effort=effort_in(folder)[0] if (folder / EFFORT).exists() else None,
        began_s=began_first_s(folder),
    )


def _shifted(sample: Sample, later_s: float) -> Sample:
    moments = {name: getattr(sample, name) for name in _MOMENTS}
    return replace(sample, **{name: at + later_s for name, at in moments.items() if at is not None})
