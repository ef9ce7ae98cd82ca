"""Differences as a sentence. Whether more is better is the reader's to know."""

from __future__ import annotations

import math

from bakeoff_bench.significance.interval import Interval

_MOST_PLACES = 3
#: Who could only tell a factor of more than a hundred can tell nothing.
_ANY = 100.0


def difference(a: str, b: str, ratio: float, interval: Interval) -> str:
    """``A is 12 % (8 to 16 %) above B``, or below; the interval does not hold 1."""
    side = "above" if ratio > 1 else "below"
    near, middle, far = sorted(100 * abs(value - 1) for value in (interval.low, ratio, interval.high))
    # As many decimals as keep the ends apart and the nearer one from zero.
    finest = min(size for size in (near, far - near, 1.0) if size > 0)
    places = min(_MOST_PLACES, math.ceil(-math.log10(finest)))
    return f"{a} is {middle:,.{places}f} % ({near:,.{places}f} to {far:,.{places}f} %) {side} {b}"


def beyond(resolves: float) -> str:
    """``cannot resolve below 12 %``; rounded up, so that it promises no more than is true."""
    if resolves > _ANY:
        return "cannot resolve any difference"
    percent = 100 * resolves
    return f"cannot resolve below {math.ceil(percent):,} %"
