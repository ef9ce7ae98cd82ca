"""From a low to a high."""

from __future__ import annotations

import math
from typing import NamedTuple

#: Beyond it ``exp`` is no float any more.
_LARGEST_LOG = 700.0


class Interval(NamedTuple):
    """Both ends belong to it."""

    low: float
    high: float

    def covers(self, value: float) -> bool:
        """Whether the value lies in it."""
        return self.low <= value <= self.high


def ratio_of(log: float) -> float:
    """``exp``, but infinite where no float is large enough: two noisy rounds can say as little as that."""
    return math.exp(log) if log < _LARGEST_LOG else math.inf


def around(log: float, half: float) -> Interval:
    """The ratios whose log is at most ``half`` away."""
    return Interval(ratio_of(log - half), ratio_of(log + half))
