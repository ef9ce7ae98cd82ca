"""What wishes compare, and a value of it with the interval in which it is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from bakeoff_bench.significance import paired


class Measure(StrEnum):
    """What wishes compare; less is better, but for ``rate``."""

    CPU = "cpu"  #: CPU seconds of the whole deployment per 1,000 sagas
    MEMORY = "memory"  #: MB, steady, of the whole deployment
    PROCESSES = "processes"
    SERVERS = "servers"  #: servers to operate
    RECOVERY = "recovery"  #: seconds, median, from the kill of a worker to the end of all in flight
    P95 = "p95"  #: seconds, of completed sagas of an open load that offered everybody the same
    RATE = "rate"  #: sagas per second that were sustained

    @property
    def more_is_better(self) -> bool:
        """Otherwise less is."""
        return self is Measure.RATE

    @property
    def unit(self) -> str:
        """Of its values, in words."""
        return _UNITS[self]


_UNITS = {
    Measure.CPU: "CPU s per 1,000 sagas",
    Measure.MEMORY: "MB",
    Measure.PROCESSES: "processes",
    Measure.SERVERS: "servers",
    Measure.RECOVERY: "s in the median",
    Measure.P95: "s, p95",
    Measure.RATE: "sagas per s",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One measure of one contestant.

    Attributes:
        value: In the measure's unit.
        evidence: Where it stands.
        low, high: A 95 % interval that holds it; ``None`` where it was measured once, or counted.
        load: Under which it was measured, by name; empty where no load belongs to it, or nobody noted it.
    """

    value: float
    evidence: str
    low: float | None = None
    high: float | None = None
    load: str = ""

    @property
    def ends(self) -> tuple[float, float]:
        """The interval; without one it is known as a point."""
        return (
            self.value if self.low is None else self.low,
            self.value if self.high is None else self.high,
        )

    @property
    def is_estimated(self) -> bool:
        """Whether it has an interval."""
        return self.low is not None and self.high is not None

    @property
    def place(self) -> str:
        """Where it stands, and under which load it was measured."""
        return f"{self.evidence} at {self.load}" if self.load else self.evidence

    def __str__(self) -> str:
        """With its interval."""
        interval = f" ({self.low:.3g} to {self.high:.3g})" if self.is_estimated else ""
        return f"{self.value:.3g}{interval}"


def of_rounds(value: float, rounds: Sequence[float], evidence: str, load: str) -> Value:
    """A value that sums rounds up, with the 95 % t-interval of their logs.

    Args:
        value: What a report shows: the median of the rounds, or what they come to together.
        rounds: The value of each; fewer than two, or one that is not positive, give no interval.
        evidence, load: As ``Value`` has them.
    """
    if len(rounds) < 2 or min(rounds) <= 0:
        return Value(value=value, evidence=evidence, load=load)
    interval = paired(rounds, [1.0] * len(rounds)).interval  # the t-interval of one sample
    assert interval is not None, "two rounds have one"
    # A median may lie outside of an interval for the geometric mean.
    low, high = min(interval.low, value), max(interval.high, value)
    return Value(value=value, evidence=evidence, low=low, high=high, load=load)


def of_middle(values: Sequence[float], evidence: str) -> Value:
    """The median of one or more values; with six or more its 95 % interval, which assumes no distribution.

    Source:
        H. A. David, H. N. Nagaraja, "Order Statistics" (2003), section 7.1.
    """
    ordered, n = sorted(values), len(values)
    middle = (ordered[(n - 1) // 2] + ordered[n // 2]) / 2
    # So many of the lowest, and of the highest, may be left out: of 2 ** n ways to fall on either side of the
    # median at most one in 40 has no more than these below it.
    out, ways, sum_ = 0, 1, 1
    while 40 * sum_ <= 2**n:
        ways = ways * (n - out) // (out + 1)
        out, sum_ = out + 1, sum_ + ways
    if not out:
        return Value(value=middle, evidence=evidence)
    return Value(value=middle, evidence=evidence, low=ordered[out - 1], high=ordered[n - out])
