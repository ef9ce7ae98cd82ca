"""Comparisons that stand together, corrected for being several."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

from bakeoff.errors import UsageError
from bakeoff_bench.significance.interval import Interval
from bakeoff_bench.significance.paired import ALPHA, Paired, paired
from bakeoff_bench.significance.power import RESOLVE, resolvable
from bakeoff_bench.significance.words import beyond, difference


class Finding(StrEnum):
    """What a comparison may say."""

    DIFFERENT = "different"
    """Chance alone would not do it."""
    SAME = "no significant difference"
    """None was found, though one of the size that matters would have been, in four of five cases."""
    UNRESOLVED = "cannot resolve"
    """None was found, nor would have been: nothing is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One of several.

    Attributes:
        a, b: Names of the contestants.
        paired: ``a`` against ``b``. Its 95 % interval is that of this comparison alone.
        p_adjusted: Holm's; at most 0.05 is significant. 1 with a single round.
        together: A wider interval (Bonferroni): in 95 % of families *all* of these cover their ratios.
        resolves: The smallest difference that would have been found with power 0.8, a share; ``None``: none.
        finding: What all that comes to.
        word: The same as a sentence.
    """

    a: str
    b: str
    paired: Paired
    p_adjusted: float
    together: Interval | None
    resolves: float | None
    finding: Finding
    word: str


def compare_all(
    measurements: Mapping[str, Sequence[float]], *, baseline: str | None = None, resolve: float = RESOLVE
) -> list[Comparison]:
    """Compare contestants with each other, or all of them with one.

    Args:
        measurements: ``{contestant: values}``, positive, in any unit; value ``i`` of each from one round.
        baseline: With whom all others are compared; ``None``: every pair, in the order of the mapping.
        resolve: The difference that matters, as a share: 0.1 is 110 against 100.

    Raises:
        UsageError: If the baseline is nobody, or two contestants cannot be compared (see ``paired``).
    """
    family = []
    for a, b in pairs_of(measurements, baseline):
        try:
            family.append((a, b, paired(measurements[a], measurements[b])))
        except UsageError as error:
            raise UsageError(f"{a} against {b}: {error}") from None
    return judge(family, resolve=resolve)


def pairs_of(names: Iterable[str], baseline: str | None) -> list[tuple[str, str]]:
    """Who is compared with whom.

    Raises:
        UsageError: If the baseline is not among the names.
    """
    everybody = list(names)
    if baseline is None:
        return list(combinations(everybody, 2))
    if baseline not in everybody:
        raise UsageError(
            f"baseline {baseline!r} was not measured; measured: {', '.join(everybody) or 'nobody'}"
        )
    return [(name, baseline) for name in everybody if name != baseline]


def judge(family: Sequence[tuple[str, str, Paired]], *, resolve: float = RESOLVE) -> list[Comparison]:
    """Correct comparisons for being several, and say what each shows; in the same order.

    A family is whatever a reader may pick the best of: all pairs, and all metrics if there are several.

    Args:
        family: ``(name of a, name of b, a against b)``.
        resolve: As for ``compare_all``.
    """
    adjusted = holm([1.0 if one.p is None else one.p for _, _, one in family])
    # What was not rejected was held against this level: so strict a test would have had to find it.
    open_level = ALPHA / max(1, sum(p > ALPHA for p in adjusted))
    comparisons = []
    for (a, b, one), p in zip(family, adjusted, strict=True):
        resolves = math.inf if one.log_sd is None else resolvable(one.log_sd, one.n, open_level)
        if p <= ALPHA and one.interval is not None:
            finding, word = Finding.DIFFERENT, difference(a, b, one.ratio, one.interval)
        elif resolves <= resolve:
            finding, word = Finding.SAME, "no significant difference"
        else:
            finding, word = Finding.UNRESOLVED, beyond(resolves)
        comparisons.append(
            Comparison(
                a=a,
                b=b,
                paired=one,
                p_adjusted=p,
                together=one.interval_at(ALPHA / len(family)),
                resolves=None if math.isinf(resolves) else resolves,
                finding=finding,
                word=word,
            )
        )
    return comparisons


def holm(p_values: Sequence[float]) -> list[float]:
    """p values adjusted for their number, in the same order.

    Source:
        S. Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Statistics 6 (1979).
    """
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = highest
    return adjusted
