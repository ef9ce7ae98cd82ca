"""Two contestants over the same rounds: the ratio, and between what limits it lies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from bakeoff.errors import UsageError
from bakeoff_bench.significance.interval import Interval, around, ratio_of
from bakeoff_bench.significance.student import critical, two_sided_p

#: How often chance alone may pass for a difference, over all comparisons that stand together.
ALPHA = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """One contestant against another.

    Attributes:
        ratio: Geometric mean of ``a[i] / b[i]``.
        interval: 95 % interval of the ratio; ``None`` with one round, as all that follows but ``n``.
        p: How often chance alone shows a ratio as far from 1; not corrected for other comparisons.
        log_sd: Standard deviation of the log-ratio of a round: 0.1 is about 10 %.
        n: Rounds.
    """

    ratio: float
    interval: Interval | None
    p: float | None
    log_sd: float | None
    n: int

    def interval_at(self, alpha: float) -> Interval | None:
        """The interval that misses the true ratio in a share ``alpha`` of cases."""
        if self.log_sd is None:
            return None
        return around(math.log(self.ratio), critical(self.n, alpha) * self.log_sd / math.sqrt(self.n))


def paired(a: Sequence[float], b: Sequence[float]) -> Paired:
    """Compare two contestants round by round.

    Whatever slows both of them in a round, a busy neighbour say, cancels out of its ratio. The interval is
    Student's t over the logs, the p value that of the paired t test.

    Args:
        a, b: Measurements of the two, positive, in any unit; ``a[i]`` and ``b[i]`` from the same round.

    Raises:
        UsageError: If they differ in length, hold no round, or something that is not positive.

    Source:
        Student, "The probable error of a mean", Biometrika 6 (1908).
    """
    logs = log_ratios(a, b)
    n, mean = len(logs), fmean(logs)
    if n < 2:
        return Paired(ratio=ratio_of(mean), interval=None, p=None, log_sd=None, n=n)
    sd = spread(logs)
    error = sd / math.sqrt(n)
    certain = 0.0 if mean else 1.0  # the same in every round, as a count of lines is: no noise, and no doubt
    return Paired(
        ratio=ratio_of(mean),
        interval=around(mean, critical(n, ALPHA) * error),
        p=two_sided_p(mean / error, n) if error else certain,
        log_sd=sd,
        n=n,
    )


def log_ratios(a: Sequence[float], b: Sequence[float]) -> list[float]:
    """Natural logs of ``a[i] / b[i]``.

    Raises:
        UsageError: As ``paired``.
    """
    if len(a) != len(b):
        raise UsageError(
            f"{len(a)} rounds of one against {len(b)} of the other: leave out what has no partner"
        )
    if not a:
        raise UsageError("no rounds to compare: measure at least two")
    for number, (mine, yours) in enumerate(zip(a, b, strict=True), start=1):
        if not (0 < mine < math.inf and 0 < yours < math.inf):
            raise UsageError(
                f"round {number} measured {mine:g} against {yours:g}, and a ratio needs positive numbers:"
                " leave this round out on both sides"
            )
    return [math.log(mine / yours) for mine, yours in zip(a, b, strict=True)]


def spread(logs: Sequence[float]) -> float:
    """Standard deviation of two or more, over ``n - 1``."""
    mean = fmean(logs)
    return math.sqrt(math.fsum((log - mean) ** 2 for log in logs) / (len(logs) - 1))
