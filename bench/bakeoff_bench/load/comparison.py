"""Contestants against each other over the same rounds of one run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from bakeoff_bench.run.journal import Row
from bakeoff_bench.runs.rounds import Series, series_of
from bakeoff_bench.significance import Comparison, Paired, judge, paired

#: What is compared: the rate of the closed loop, and the medians of the open ones.
_CLOSED, _OPEN = "settled_per_s", "p50"


def comparisons(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Every pair of contestants in every block, corrected for being so many (Holm).

    Rounds that do not count for one of a pair are left out on both sides. Fewer than two leave nothing. Nor
    is there a median of a load that somebody did not keep up with: what is left then are its best rounds.

    Returns:
        ``block``, ``metric``, ``a``, ``b``, ``ratio``, ``low`` and ``high`` (95 %), ``rounds``, ``without``
        (rounds that count for both, but one of them has no median of: its backlog grew), ``finding`` and the
        sentence ``word``; the surest first.
    """
    closed = {row["block"] for row in rows if row["users"]}
    wanted = [
        one
        for one in series_of(rows)
        if (one.metric == _CLOSED if one.block in closed else one.metric == _OPEN and one.mostly)
    ]
    pairs = list(_pairs(wanted))
    judged = judge([(a.contestant, b.contestant, together) for a, b, together in pairs])
    found = [_told(a, b, one) for (a, b, _), one in zip(pairs, judged, strict=True)]
    return sorted(found, key=lambda one: (one["block"], one["p"]))


def compare(
    a: Mapping[int, float], b: Mapping[int, float], name_a: str, name_b: str
) -> dict[str, Any] | None:
    """One contestant against another over the rounds that count for both; ``None`` with fewer than two.

    Args:
        a, b: ``{round: value}``; positive.
        name_a, name_b: For the sentence.

    Returns:
        ``ratio`` (a / b), ``low`` and ``high`` (95 %), ``rounds``, ``p``, ``finding``, ``word``.
    """
    common = sorted(set(a) & set(b))
    if len(common) < 2:
        return None
    together = paired([a[n] for n in common], [b[n] for n in common])
    (found,) = judge([(name_a, name_b, together)])
    return _numbers(found)


def _pairs(wanted: Sequence[Series]) -> Iterator[tuple[Series, Series, Paired]]:
    for a, b in combinations(wanted, 2):
        if (a.block, a.metric) != (b.block, b.metric):
            continue
        common = sorted(set(a.values) & set(b.values))
        if len(common) > 1:
            yield a, b, paired([a.values[n] for n in common], [b.values[n] for n in common])


def _told(a: Series, b: Series, one: Comparison) -> dict[str, Any]:
    both = set(a.counted) & set(b.counted)
    without = len(both) - one.paired.n
    return {
        **{"block": a.block, "metric": a.metric, "a": one.a, "b": one.b},
        **_numbers(one),
        "without": without,
    }


def _numbers(one: Comparison) -> dict[str, Any]:
    interval = one.paired.interval
    return {
        "ratio": one.paired.ratio,
        "low": interval.low if interval else None,
        "high": interval.high if interval else None,
        "rounds": one.paired.n,
        "p": one.p_adjusted,
        "finding": str(one.finding),
        "word": one.word,
    }


def sentences(result: Mapping[str, Any]) -> Iterator[list[str]]:
    """``[block, pair, sentence, rounds]`` of each comparison of a result."""
    for one in result["comparisons"]:
        names = f"{one['a']} against {one['b']}"
        said = "; ".join([one["word"], *conditions(result, one)])
        yield [f"{one['block']}, {one['metric']}", names, said, rounds_words(one)]


def rounds_words(one: Mapping[str, Any]) -> str:
    """Of how many rounds a comparison is, and how many it is without; an earlier bakeoff did not say."""
    left_out = f"; {one['without']} more have no median" if one.get("without") else ""
    return f"{one['rounds']}{left_out}"


def conditions(result: Mapping[str, Any], one: Mapping[str, Any]) -> Iterator[str]:
    """What is not the same for both of a pair: the guarantee that they keep, and the rate that they had."""
    tiers = [result["contestants"][one[side]]["durability"] for side in ("a", "b")]
    if tiers[0] != tiers[1]:
        yield f"they keep different guarantees: {tiers[0]} and {tiers[1]}"
    rates = [
        block["rate"]
        for side in ("a", "b")
        for block in result["blocks"]
        if block["contestant"] == one[side] and block["block"] == one["block"]
    ]
    if len(rates) > 1 and rates[0] != rates[1]:
        yield f"at {rates[0]:.1f} and {rates[1]:.1f} sagas/s"
