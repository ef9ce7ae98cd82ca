"""A load part by part: one number over a ramp, a spike or half an hour hides what there is to see."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bakeoff_bench.load.generator.sample import Sample
from bakeoff_bench.load.histograms import Histograms
from bakeoff_bench.load.measured import grew, mostly_kept_up, open_at, summary
from bakeoff_bench.meter.usage import TOTAL
from bakeoff_bench.meter.usage import Sample as Usage
from bakeoff_scenarios import Leg, duration_s

#: A load that has no legs of its own is cut into so many parts if its rate changes, or if it is long.
_EVENLY = 5
_MOST_LEGS = 10
_LONG_S = 300.0

Part = dict[str, Any]


def edges_of(legs: Sequence[Leg]) -> list[tuple[float, float]]:
    """``(from, until)`` in seconds of each part; none for a load that is the same all the time, and short."""
    whole_s = duration_s(legs)
    if 1 < len(legs) <= _MOST_LEGS:
        ends = [sum(leg.seconds for leg in legs[: n + 1]) for n in range(len(legs))]
    elif len(legs) > 1 or legs[0].start != legs[0].end or whole_s >= _LONG_S:
        ends = [whole_s * (n + 1) / _EVENLY for n in range(_EVENLY)]
    else:
        return []
    return list(zip([0.0, *ends[:-1]], ends, strict=True))


def parts_of(
    legs: Sequence[Leg], samples: Sequence[Sample], usage: Iterable[Usage], metered_s: float
) -> list[Part]:
    """What of each part is not in the samples that are kept.

    Args:
        legs: Of the load.
        samples: Of every saga.
        usage: What the deployment used.
        metered_s: Seconds from the first arrival to the start of that.

    Returns:
        ``from_s``, ``until_s``, ``open_at_end``, ``memory_bytes`` (median; ``None`` if nobody looked).
    """
    memory = [(one.t + metered_s, one.memory_bytes) for one in usage if one.role == TOTAL]
    found: list[Part] = []
    for from_s, until_s in edges_of(legs):
        within = [amount for at_s, amount in memory if from_s <= at_s < until_s]
        found.append(
            {
                "from_s": from_s,
                "until_s": until_s,
                "open_at_end": open_at(samples, until_s),
                "memory_bytes": int(statistics.median(within)) if within else None,
            }
        )
    return found


def pooled(rounds: Sequence[tuple[Sequence[Part], Sequence[Sample]]], warm_up_s: float) -> list[Part]:
    """Each part over all rounds: percentiles of all values, the most that were open, median memory.

    Args:
        rounds: Parts and samples of each round that counts.
        warm_up_s: Seconds whose arrivals do not count.

    Returns:
        ``from_s``, ``until_s``, ``offered_per_s``, ``latency`` (of the completed sagas, see ``summary``),
        ``open_at_end``, ``kept_up`` (whether the backlog grew in it in no more than a third of the rounds),
        ``memory_bytes``; nothing if there are no parts.
    """
    if not rounds:
        return []
    found: list[Part] = []
    for number, part in enumerate(rounds[0][0]):
        from_s, until_s = max(part["from_s"], warm_up_s), part["until_s"]
        arrived = [[s for s in samples if from_s <= s.intended_s < until_s] for _, samples in rounds]
        histograms = Histograms()
        for (_, samples), own in zip(rounds, arrived, strict=True):
            looked_until_s = max(
                (s.due_s if s.settled_s is None else s.settled_s for s in samples), default=0.0
            )
            for sample in own:
                histograms.add(sample, looked_until_s)
        memory = [parts[number]["memory_bytes"] for parts, _ in rounds]
        seconds = len(rounds) * max(1e-9, until_s - from_s)
        found.append(
            {
                "from_s": part["from_s"],
                "until_s": until_s,
                "offered_per_s": sum(map(len, arrived)) / seconds,
                "latency": _of_completed(histograms),
                "open_at_end": max(parts[number]["open_at_end"] for parts, _ in rounds),
                "kept_up": mostly_kept_up(
                    [
                        not grew(open_at(samples, until_s) - open_at(samples, from_s), len(own))
                        for (_, samples), own in zip(rounds, arrived, strict=True)
                    ]
                ),
                "memory_bytes": statistics.median(memory) if None not in memory else None,
            }
        )
    return found


def _of_completed(histograms: Histograms) -> Mapping[str, float | int | None]:
    """Not of those that are somebody's noisy neighbours."""
    names = [n for n in histograms if n.endswith("-completed-settled") and not n.startswith("slow-")]
    return summary(histograms, names[0]) if len(names) == 1 else {"n": 0}
