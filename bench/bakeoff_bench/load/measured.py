"""What one load on one engine came to, in numbers; how it is stored."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from bakeoff_bench.load.generator.guard import Effort
from bakeoff_bench.load.generator.sample import Sample
from bakeoff_bench.load.histograms import Histograms

#: Fewer values than these, pooled, do not show the percentile (rule 5 of the rules for numbers).
FLOORS = {0.50: 5, 0.90: 50, 0.95: 100, 0.99: 1000}
#: While sagas arrive, those in flight may become more by this share of the arrivals, and by some: a queue
#: that is busy but not too busy comes and goes.
_GROWTH, _SLACK = 0.05, 5
#: Seconds without an end, beyond a lease, after which nothing more is expected.
_SILENCE_S = 15.0
#: Moments at which those in flight are counted.
_LOOKS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One load on one engine, its warm-up left out.

    Attributes:
        seconds: How long sagas arrived after the warm-up.
        arrived, warm_up: Sagas that count, and those that came in the warm-up and do not.
        offered_per_s: Arrivals, ``achieved_per_s``: starts that the engine accepted, ``settled_per_s``: ends,
            in these seconds.
        censored: Sagas that had not settled when patience ended; in percentiles they rank with what they had
            waited by then.
        open_first, open_last: Sagas in flight when the warm-up was over, and when the last had arrived.
        growth: By how many those in flight became more meanwhile, by a straight line through all of it.
        kept_up: Whether that is no more than chance.
        stuck: Of the censored, those that nobody worked on any more: see ``stuck_in``.
        left_open: Sagas of an earlier load that had still not settled when this one began.
        latencies: ``{distribution: {"n", "p50", "p90", "p95", "p99"}}`` in seconds; a percentile that too few
            values show is ``None``.
        void: Why the numbers say nothing about the engine.
        effort: What it cost the generator.
        validity, reasons: The ledger's verdict.
        fault: What was done, and what became of it.
        cost: Of the deployment, as ``bakeoff_bench.meter`` has it.
        parts: Of a load that changes, or is long; see ``bakeoff_bench.load.parts``.
        beside: What else the machine did, see ``bakeoff_bench.load.bystanders``, and its ``speed`` as a share
            of its usual one, see ``bakeoff_bench.load.machine_speed``.
        disturbed: Whether it is void for that.
    """

    seconds: float
    arrived: int
    warm_up: int
    offered_per_s: float
    achieved_per_s: float
    settled_per_s: float
    censored: int
    open_first: int
    open_last: int
    growth: float
    kept_up: bool
    latencies: Mapping[str, Mapping[str, float | int | None]]
    void: Sequence[str]
    effort: Effort
    validity: str
    reasons: Sequence[str]
    fault: Mapping[str, Any] = field(default_factory=dict)
    cost: Mapping[str, Any] = field(default_factory=dict)
    parts: Sequence[Mapping[str, Any]] = ()
    stuck: int = 0
    left_open: int = 0
    beside: Mapping[str, float | None] = field(default_factory=dict)
    disturbed: bool = False

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return asdict(self)

    @property
    def usable(self) -> bool:
        """Whether its numbers are about the engine, and what they are about is right."""
        return not self.void and self.validity == "valid"


def measure(
    samples: Sequence[Sample], *, effort: Effort, arriving_s: float, warm_up_s: float, closed: bool
) -> tuple[dict[str, Any], Histograms]:
    """Sum samples up; return the fields of ``Measured`` that follow from them, and their histograms.

    Args:
        samples: Of every saga that arrived.
        effort: Of the generator.
        arriving_s: Seconds during which sagas arrived.
        warm_up_s: Of these, how many do not count.
        closed: Whether it was a closed loop, in which a backlog cannot grow.
    """
    counted = [one for one in samples if one.intended_s >= warm_up_s]
    seconds = max(1e-9, arriving_s - warm_up_s)
    histograms = Histograms()
    for one in counted:
        histograms.add(one, effort.seconds)
    looks_s = [warm_up_s + seconds * number / _LOOKS for number in range(_LOOKS + 1)]
    in_flight = [open_at(samples, at_s) for at_s in looks_s]
    growth = seconds * statistics.linear_regression(looks_s, in_flight).slope
    return {
        "seconds": seconds,
        "arrived": len(counted),
        "warm_up": len(samples) - len(counted),
        "offered_per_s": len(counted) / seconds,
        "achieved_per_s": _within(warm_up_s, arriving_s, [one.accepted_s for one in samples]) / seconds,
        "settled_per_s": _within(warm_up_s, arriving_s, [one.settled_s for one in samples]) / seconds,
        "censored": sum(one.settled_s is None for one in counted),
        "open_first": in_flight[0],
        "open_last": in_flight[-1],
        "growth": growth,
        "kept_up": closed or not grew(growth, len(counted)),
        "latencies": {name: summary(histograms, name) for name in histograms},
        "void": effort.void(),
        "effort": effort,
    }, histograms


def grew(growth: float, arrived: int) -> bool:
    """Whether those in flight became more by more than chance explains, while so many arrived."""
    return growth > _GROWTH * arrived + _SLACK


def mostly_kept_up(rounds: Sequence[bool]) -> bool:
    """Whether a load was kept up with over its rounds: in two of three, as it takes to confirm a rate.

    One round of ten may have met a bad minute of the machine; what that cost is in the percentiles.
    """
    return 3 * sum(rounds) >= 2 * len(rounds)


def open_at(samples: Sequence[Sample], at_s: float) -> int:
    """Sagas that were due and had not settled."""
    return sum(one.due_s <= at_s and (one.settled_s is None or one.settled_s > at_s) for one in samples)


def least_patience_s(lease_s: float) -> float:
    """Seconds after the last arrival that it takes to tell whether an engine left something behind."""
    return lease_s + 2 * _SILENCE_S


def stuck_in(samples: Sequence[Sample], until_s: float, lease_s: float) -> int:
    """Sagas that had not settled though their engine had nothing else to do, for longer than its lease.

    An engine with more work than it can do settles one saga after the other until patience ends, and who is
    left then is nobody's loss. One that has done everything else, and is silent, has lost or forgotten them.

    Args:
        samples: Of every saga.
        until_s: When patience ended.
        lease_s: Seconds after which an engine may still come back to what it left.
    """
    left = [one for one in samples if one.accepted_s is not None and one.settled_s is None]
    busy_until_s = max((one.settled_s for one in samples if one.settled_s is not None), default=0.0)
    last_s = max(busy_until_s, max((one.due_s for one in samples), default=0.0))
    return len(left) if until_s - last_s > lease_s + _SILENCE_S else 0


def _within(from_s: float, until_s: float, moments: Sequence[float | None]) -> int:
    return sum(one is not None and from_s <= one < until_s for one in moments)


def summary(histograms: Histograms, name: str) -> dict[str, float | int | None]:
    """``n`` and the percentiles that so many values can show, in seconds."""
    count = histograms.count(name)
    found: dict[str, float | int | None] = {"n": count}
    for share, floor in FLOORS.items():
        enough = count >= floor
        found[f"p{math.floor(100 * share)}"] = histograms.percentile_s(name, share) if enough else None
    return found
