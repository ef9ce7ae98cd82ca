"""What a number of rounds can see."""

from __future__ import annotations

import math

from bakeoff_bench.significance.interval import ratio_of
from bakeoff_bench.significance.paired import ALPHA
from bakeoff_bench.significance.student import noncentrality, power_at

#: Of differences of the size that matters, this share is to be found.
POWER = 0.8

#: Shares are those by which the larger exceeds the smaller: 0.1 is 110 against 100.
RESOLVE = 0.10


def power_of(difference: float, log_sd: float, n: int, alpha: float = ALPHA) -> float:
    """How often the paired t test finds a true difference.

    Args:
        difference: As a share: 0.1 is 110 against 100.
        log_sd: Standard deviation of a round's log-ratio, more than 0.
        n: Rounds, two or more.
        alpha: Level of the test; divide it by the number of comparisons.

    Source:
        J. Cohen, "Statistical Power Analysis for the Behavioral Sciences" (1988), ch. 2: the noncentral t.
    """
    return power_at(math.log1p(difference) * math.sqrt(n) / log_sd, n, alpha)


def resolvable(log_sd: float, n: int, alpha: float = ALPHA, power: float = POWER) -> float:
    """The smallest true difference that so many rounds find with this power, as a share: 0.12 is 12 %.

    It is the inverse of ``power_of``. One round resolves nothing: infinite.

    Args:
        log_sd: Standard deviation of a round's log-ratio.
        n: Rounds.
        alpha: Level of the test; divide it by the number of comparisons.
        power: From 0.5 to below 1.
    """
    if n < 2:
        return math.inf
    return ratio_of(noncentrality(n, alpha, power) * log_sd / math.sqrt(n)) - 1
