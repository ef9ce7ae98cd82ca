"""Shares of yes among yes and no."""

from __future__ import annotations

from bakeoff_bench.significance.interval import Interval


def proportion(hits: int, n: int) -> Interval | None:
    """Wilson's 95 % interval of a share; ``None`` where nothing was tried.

    Args:
        hits: 0 to ``n``.
        n: Trials.

    Raises:
        ValueError: If there are more hits than trials.

    Source:
        E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).
    """
    if n == 0 and hits == 0:
        return None
    from scipy.stats import binomtest  # takes a second, which no command should pay at its start

    interval = binomtest(hits, n).proportion_ci(method="wilson")
    return Interval(float(interval.low), float(interval.high))
