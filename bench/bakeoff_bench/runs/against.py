"""Two runs against each other: what changed, by how much, and whether that is more than chance."""

from __future__ import annotations

import math
import statistics
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from scipy import stats

from bakeoff.errors import UsageError
from bakeoff_bench.runs.rounds import METRICS, Series
from bakeoff_bench.significance import holm

_ALPHA = 0.05
_FEWEST = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One metric of one contestant in one block, in run B as a multiple of run A.

    Attributes:
        contestant, block, metric: Which.
        before, after: Geometric means.
        rounds: Of A and of B.
        ratio: After over before.
        low, high: 95 % interval (Welch's t over logs: rounds of two runs are no pairs); ``None`` with a
            single round.
        p: How probable so large a difference is by chance alone; ``None`` with a single round.
    """

    contestant: str
    block: str
    metric: str
    before: float
    after: float
    rounds: tuple[int, int]
    ratio: float
    low: float | None
    high: float | None
    p: float | None = None

    @property
    def beyond_chance(self) -> bool:
        """Whether the interval leaves "no change" out."""
        return self.low is not None and self.high is not None and not self.low <= 1 <= self.high

    @property
    def worse(self) -> bool:
        """Whether B is on the wrong side of A."""
        return self.ratio < 1 if METRICS[self.metric] else self.ratio > 1


def changes(before: Sequence[Series], after: Sequence[Series]) -> list[Change]:
    """Everything that both runs measured.

    Raises:
        UsageError: If that is nothing.
    """
    known = {one.key: one for one in before}
    found = [_change(known[one.key], one) for one in after if one.key in known]
    if not found:
        raise UsageError("the two runs have no contestant and block in common, or no round of it counts")
    return found


def _change(a: Series, b: Series) -> Change:
    logs_a, logs_b = ([math.log(value) for value in one.values.values()] for one in (a, b))
    mean_a, mean_b = statistics.fmean(logs_a), statistics.fmean(logs_b)
    low = high = p = None
    if min(len(logs_a), len(logs_b)) >= _FEWEST:
        test = stats.ttest_ind(logs_b, logs_a, equal_var=False)
        interval = test.confidence_interval(1 - _ALPHA)
        # Where the same value stands in every round of both, there is no variance and no test.
        if math.isfinite(interval.low) and math.isfinite(interval.high):
            low, high, p = math.exp(interval.low), math.exp(interval.high), float(test.pvalue)
    return Change(
        contestant=a.contestant,
        block=a.block,
        metric=a.metric,
        before=math.exp(mean_a),
        after=math.exp(mean_b),
        rounds=(len(logs_a), len(logs_b)),
        ratio=math.exp(mean_b - mean_a),
        low=low,
        high=high,
        p=p,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """``METRIC:SHARE`` of ``--fail-if``: how much worse a metric may become.

    Attributes:
        metric: One of ``METRICS``.
        share: 0.1 for 10 %.
    """

    metric: str
    share: float

    @classmethod
    def read(cls, text: str) -> Limit:
        """Parse ``p95:10%``.

        Raises:
            UsageError: If it is not of this form.
        """
        metric, colon, share = text.partition(":")
        if not colon or metric not in METRICS:
            raise UsageError(f"--fail-if {text}: write METRIC:PERCENT, METRIC one of {', '.join(METRICS)}")
        try:
            value = float(share.removesuffix("%")) / 100
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and value >= 0):
            raise UsageError(f"--fail-if {text}: {share!r} is no percentage of zero or more")
        return cls(metric=metric, share=value)

    def allows(self, change: Change) -> bool:
        """Whether it is not worse by more than this, chance left aside; other metrics are free."""
        if change.metric != self.metric or not change.worse:
            return True
        worse_by = 1 / change.ratio - 1 if METRICS[self.metric] else change.ratio - 1
        return worse_by <= self.share


def broken(limits: Sequence[Limit], found: Sequence[Change]) -> list[Change]:
    """What is worse than allowed, and not by chance.

    Every change of a limited metric is a test, and of forty tests two would fail by chance alone; so their p
    values are adjusted for their number (Holm) before one of them is believed.
    """
    metrics = {limit.metric for limit in limits}
    tested = [one for one in found if one.metric in metrics and one.p is not None]
    adjusted = holm([one.p for one in tested if one.p is not None])
    sure = [one for one, p in zip(tested, adjusted, strict=True) if p <= _ALPHA]
    return [one for one in sure if not all(limit.allows(one) for limit in limits)]


def untold(
    limits: Sequence[Limit], before: Sequence[Series], after: Sequence[Series], contestants: Collection[str]
) -> list[str]:
    """Say what is limited and known of A but not of B, or of its best rounds only, which so passes no limit.

    Args:
        limits: What is limited.
        before, after: Of A and of B.
        contestants: Of B; nobody asks it of others.

    Raises:
        UsageError: If A knows nothing of a limited metric: then nothing can become worse.
    """
    for limit in limits:
        if not any(one.metric == limit.metric for one in before):
            raise UsageError(
                f"--fail-if {limit.metric}: no round of the first run tells it, so nothing is limited"
            )
    metrics, known = {limit.metric for limit in limits}, {one.key: one for one in after}
    asked = [one for one in before if one.metric in metrics and one.contestant in contestants]
    return [why for one in asked if (why := _untold(one, known.get(one.key)))]


def _untold(a: Series, b: Series | None) -> str:
    what = f"{a.contestant}, {a.block}: B tells"
    if b is None:
        return f"{what} no {a.metric}; it did not keep up, or no round counts"
    if len(b.values) == len(b.counted) < _FEWEST <= len(a.values):
        return f"{what} {a.metric} of one round only; the others do not count"
    if (a.mostly and not b.mostly) or len(b.values) < _FEWEST <= len(a.values):
        return (
            f"{what} {a.metric} of {len(b.values)} of its {len(b.counted)} rounds that count; it did not "
            "keep up in the others, or too few sagas came"
        )
    return ""
