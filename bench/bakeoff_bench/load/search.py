"""The highest rate that an engine sustains, found by trying."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any

from bakeoff_bench.load.measured import Measured

#: The next rate after one that was sustained while none has failed yet, and after one that was not.
_UP, _DOWN = 1.25, 0.7
#: A bracket this narrow is not divided any more.
_NARROW = 1.08
_MOST = 12
#: A void load says nothing, so it is made again; a generator that is late this often is the end.
_TRIES = 3
#: Of what was offered, at least so much must be done meanwhile.
_SETTLED = 0.9
#: A generator that had so much of what was due accepted has offered it, late or not.
_OFFERED = 0.95

#: Plays a load at a rate.
Probe = Callable[[float], Awaitable[Measured]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sustained:
    """What the search came to.

    Attributes:
        rate_per_s: The highest rate that was sustained; ``None`` if none of those that were tried was.
        failed_per_s: The lowest rate above it that was not, and ``why``; ``None`` if none failed, and then
            ``rate_per_s`` is the least that it can be.
        bound: What the end of the search was: ``engine``, ``generator`` if that could not offer more, or
            ``machine`` if that was not itself.
        closest: Where nothing was sustained: the words for the closest.
        confirmed, of: In how many of how many later rounds this rate was sustained.
        searched_per_s: What the search itself came to, before those rounds.
    """

    rate_per_s: float | None
    failed_per_s: float | None = None
    why: str = ""
    bound: str = "engine"
    closest: str = ""
    confirmed: int = 0
    of: int = 0
    searched_per_s: float | None = None

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return asdict(self)


async def search(probe: Probe, first_per_s: float, slo_s: float) -> Sustained:
    """Bracket the sustainable rate, then halve the bracket until it is narrow.

    Args:
        probe: Plays a load.
        first_per_s: Where to begin: near what a closed loop reaches.
        slo_s: The most that the 95th percentile of completed sagas may take.
    """
    low: float | None = None
    high: float | None = None
    why, bound, nearest = "", "engine", Nearest()
    rate = first_per_s
    for _ in range(_MOST):
        measured = await clear_answer(probe, rate)
        if problem := problem_of(measured, slo_s):
            high, why = rate, problem
            bound = _bound(measured)
            nearest.see(measured, rate, problem)
        else:
            low = rate
        if low is not None and high is not None and high / low <= _NARROW:
            break
        if high is None:
            rate *= _UP
        elif low is None:
            rate *= _DOWN
        else:
            rate = (low * high) ** 0.5
    closest = "" if low else nearest.words
    return Sustained(
        rate_per_s=low, failed_per_s=high, why=why, bound=bound, closest=closest, searched_per_s=low
    )


def _bound(measured: Measured) -> str:
    if answers(measured):
        return "engine"
    return "machine" if measured.disturbed else "generator"


async def clear_answer(probe: Probe, rate: float) -> Measured:
    """Play the load; again, up to twice, where what came of it says nothing about the engine."""
    for _ in range(_TRIES - 1):
        measured = await probe(rate)
        if answers(measured):
            return measured
    return await probe(rate)


def answers(measured: Measured) -> bool:
    """Whether it says something about the engine.

    A generator that had everything accepted that was due has done its part, even if thousands of open sagas
    made it late: that they are open is the engine's doing. It is not if they were there before, or if the
    machine did something else meanwhile.
    """
    if not measured.void:
        return True
    if measured.disturbed:
        return False
    offered = measured.achieved_per_s >= _OFFERED * measured.offered_per_s
    return offered and not measured.kept_up and not measured.left_open


def problem_of(measured: Measured, slo_s: float) -> str:
    """Why this load was too much, for the engine or for its generator; nothing if it was sustained."""
    if not answers(measured):
        return "; ".join(measured.void)
    return not_sustained(measured, slo_s)


def not_sustained(measured: Measured, slo_s: float) -> str:
    """Why this load was too much for the engine; nothing if it was sustained."""
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


class Nearest:
    """Of loads that were not sustained, the one that came closest, in words."""

    def __init__(self) -> None:
        self._p95_s: float | None = None
        self.words = ""

    def see(self, measured: Measured, rate: float, problem: str) -> None:
        """The lowest 95th percentile; where there is none, what was wrong at the lowest rate."""
        p95_s = p95_of(measured) if answers(measured) else None
        if p95_s is not None and (self._p95_s is None or p95_s < self._p95_s):
            self._p95_s = p95_s
            self.words = f"95th percentile of {p95_s:.2f} s at {rate:.2g}/s"
        elif self._p95_s is None:
            self.words = f"at {rate:.2g}/s: {problem}"


def p95_of(measured: Measured) -> float | None:
    """Seconds of the completed sagas that are not somebody's noisy neighbour, seen in the ledger."""
    found = [
        one["p95"]
        for name, one in measured.latencies.items()
        if name.endswith("-completed-settled") and not name.startswith("slow-")
    ]
    values = [float(value) for value in found if value is not None]
    return max(values) if values else None
