"""When sagas are to be started: a rate over time, and the moments that follow from it.

The moments are fixed before the load begins, and nothing that happens moves them. Latency counts from them,
so an engine that holds its clients up cannot hide it (coordinated omission).
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from bakeoff.errors import UsageError

#: ``constant``: evenly spaced at the rate of the moment. ``poisson``: independent clients, as in life.
Process = Literal["poisson", "constant"]


@dataclass(frozen=True, slots=True)
class Leg:
    """A part of a load during which the rate changes evenly.

    Attributes:
        seconds: How long.
        start, end: Arrivals per second at its beginning and at its end.
    """

    seconds: float
    start: float
    end: float

    @property
    def arrivals(self) -> float:
        """Expected number of arrivals."""
        return self.seconds * (self.start + self.end) / 2


def duration_s(legs: Sequence[Leg]) -> float:
    """Seconds from the first to the last moment at which something may arrive."""
    return sum(leg.seconds for leg in legs)


def moments(legs: Sequence[Leg], process: Process = "poisson", seed: int = 1) -> list[float]:
    """Seconds after the beginning at which one saga each is to be started, ascending.

    Raises:
        UsageError: If nothing would ever arrive.
    """
    found = list(_moments(legs, _steps(process, seed)))
    if not found:
        raise UsageError(
            f"a load of {duration_s(legs):g} s at these rates starts no saga at all; make it longer or faster"
        )
    return found


def _steps(process: Process, seed: int) -> Iterator[float]:
    """Expected arrivals between one and the next: always one, or as a Poisson process draws them."""
    if process == "constant":
        yield 0.5  # in the middle of its interval, so that a rate that changes is met on average
        while True:
            yield 1.0
    drawn = random.Random(seed)
    while True:
        yield drawn.expovariate(1.0)


def _moments(legs: Sequence[Leg], steps: Iterator[float]) -> Iterator[float]:
    """Time at which the expected number of arrivals reaches each sum of steps (inverse of its integral)."""
    began_s, before, wanted = 0.0, 0.0, next(steps)
    for leg in legs:
        while wanted < before + leg.arrivals:
            yield began_s + _within(leg, wanted - before)
            wanted += next(steps)
        before += leg.arrivals
        began_s += leg.seconds


def _within(leg: Leg, arrivals: float) -> float:
    """Seconds after the beginning of a leg at which so many have arrived."""
    growth = (leg.end - leg.start) / leg.seconds
    if abs(growth) < 1e-12:
        return arrivals / leg.start
    # Of the two roots of start x t + growth x t^2 / 2 = arrivals, written so that nothing cancels out.
    return 2 * arrivals / (leg.start + math.sqrt(max(0.0, leg.start**2 + 2 * growth * arrivals)))
