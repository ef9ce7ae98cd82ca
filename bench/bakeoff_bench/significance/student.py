"""Student's t distribution, central and not: the one place that asks SciPy for it.

SciPy is imported when it is first needed: that takes half a second, which no command should pay at its start.
"""

from __future__ import annotations

import math
from functools import lru_cache


@lru_cache(maxsize=1024)
def critical(rounds: int, alpha: float) -> float:
    """What ``|t|`` of this many rounds exceeds by chance in a share ``alpha`` of cases."""
    from scipy.special import stdtrit

    return float(stdtrit(rounds - 1, 1 - alpha / 2))


def two_sided_p(t: float, rounds: int) -> float:
    """How often chance alone gives a ``|t|`` of at least this."""
    from scipy.special import stdtr

    return 2 * float(stdtr(rounds - 1, -abs(t)))


def power_at(noncentrality: float, rounds: int, alpha: float) -> float:
    """How often ``|t|`` exceeds its critical value where ``t`` has this noncentrality."""
    beyond = critical(rounds, alpha)
    return 1 - _below(beyond, noncentrality, rounds) + _below(-beyond, noncentrality, rounds)


def _below(t: float, noncentrality: float, rounds: int) -> float:
    from scipy.special import nctdtr

    share = float(nctdtr(rounds - 1, noncentrality, t))
    return 0.0 if math.isnan(share) else share  # SciPy 1.17 says NaN of tails thinner than 1e-15


@lru_cache(maxsize=1024)
def noncentrality(rounds: int, alpha: float, power: float) -> float:
    """The noncentrality that ``t`` needs to exceed its critical value with this power.

    The tail on the wrong side is left out: at a power of one half and more it is below ``alpha`` / 100.
    """
    from scipy.special import nctdtrinc

    return float(nctdtrinc(rounds - 1, 1 - power, critical(rounds, alpha)))


def upper_sd(sd: float, rounds: int, confidence: float) -> float:
    """What the true SD does not exceed, with this confidence, where so many rounds showed ``sd``."""
    from scipy.special import chdtri

    freedom = rounds - 1
    return sd * math.sqrt(freedom / float(chdtri(freedom, confidence)))
