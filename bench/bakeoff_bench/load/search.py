"""The highest rate that an engine sustains, found by trying."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from bakeoff_bench.load.measured import Measured

#: The next rate after one that was sustained while none has failed yet, and after one that was not.
_UP, _DOWN = 1.25, 0.7
#: A bracket this narrow is not divided any more.
_NARROW = 1.08
_MOST = 10
#: Of what was offered, at least so much must be done meanwhile.
_SETTLED = 0.9

#: Plays a load at a rate.
Probe = Callable[[float], Awaitable[Measured]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sustained:
    """What the search came to.

    Attributes:
        rate_per_s: The highest rate that was sustained; ``None`` if none of those that were tried was.
        failed_per_s: The lowest rate above it that was not, ``None`` if none failed; and why.
        why: Of the failure.
        bound: What the end of the search was: ``engine``, or ``generator`` if that could not offer more.
        closest: Where nothing was sustained: the words for the closest.
    """

    rate_per_s: float | None
    failed_per_s: float | None = None
    why: str = ""
    bound: str = "engine"
    closest: str = ""

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            "rate_per_s": self.rate_per_s,
            "failed_per_s": self.failed_per_s,
            "why": self.why,
            "bound": self.bound,
            "closest": self.closest,
        }


async def search(probe: Probe, first_per_s: float, slo_s: float) -> Sustained:
    """Bracket the sustainable rate, then halve the bracket until it is narrow.

    Args:
        probe: Plays a load.
        first_per_s: Where to begin: near what a closed loop reaches.
        slo_s: The most that the 95th percentile of completed sagas may take.
    """
    low: float | None = None
    high: float | None = None
    why = closest = ""
    best_p95_s: float | None = None
    rate = first_per_s
    for _ in range(_MOST):
        measured = await probe(rate)
        if measured.void and not measured.fault:
            return Sustained(
                rate_per_s=low, failed_per_s=rate, why="; ".join(measured.void), bound="generator"
            )
        problem = not_sustained(measured, slo_s)
        if not problem:
            low = rate
        else:
            high, why = rate, problem
            p95_s = p95_of(measured)
            if p95_s is not None and (best_p95_s is None or p95_s < best_p95_s):
                best_p95_s = p95_s
                closest = f"95th percentile of {p95_s:.2f} s at {rate:.2g}/s"
        if low is not None and high is not None and high / low <= _NARROW:
            break
        if high is None:
            rate *= _UP
        elif low is None:
            rate *= _DOWN
        else:
            rate = (low * high) ** 0.5
    return Sustained(rate_per_s=low, failed_per_s=high, why=why, closest="" if low else closest)


def not_sustained(measured: Measured, slo_s: float) -> str:
    """Why this load was too much; nothing if it was sustained."""
    if measured.censored:
        return f"{measured.censored} sagas had not settled when patience ended"
    if measured.validity != "valid":
        return f"the ledger is {measured.validity}: {'; '.join(measured.reasons)}"
    if not measured.kept_up:
        return f"the backlog grew by {measured.growth:.0f} sagas while {measured.arrived} arrived"
    if measured.settled_per_s < _SETTLED * measured.offered_per_s:
        return f"{measured.settled_per_s:.1f} of {measured.offered_per_s:.1f} per second were done"
    p95_s = p95_of(measured)
    if p95_s is None:
        return "too few sagas completed for a 95th percentile; make the loads longer"
    if p95_s > slo_s:
        return f"the 95th percentile was {p95_s:.2f} s, above the {slo_s:g} s of --slo"
    return ""


def p95_of(measured: Measured) -> float | None:
    """Seconds of the completed sagas that are not somebody's noisy neighbour, seen in the ledger."""
    found = [
        one["p95"]
        for name, one in measured.latencies.items()
        if name.endswith("-completed-settled") and not name.startswith("slow-")
    ]
    values = [float(value) for value in found if value is not None]
    return max(values) if values else None
