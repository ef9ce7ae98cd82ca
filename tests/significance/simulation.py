"""Rounds as a busy machine makes them, and what the method says of thousands of such experiments.

``python -m tests.significance.simulation`` prints the numbers of docs/statistics.md (a few minutes).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from bakeoff_bench.significance import (
    Comparison,
    Finding,
    compare_all,
    log_ratios,
    paired,
    power_of,
    rounds_needed,
)

Array = NDArray[np.float64]
#: Draws noise of mean 0 and SD 1 in a shape whose last axis are rounds.
Noise = Callable[[np.random.Generator, tuple[int, ...]], Array]

SEED = 20_240_817


def normal(random: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return random.standard_normal(shape)


def heavy(random: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Student's t with 5 degrees of freedom: one value in 280 is beyond 4 SD; of the normal, in 16,000."""
    return random.standard_t(5, shape) / math.sqrt(5 / 3)


def bursts(random: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """One round in ten is three times as noisy: a neighbour."""
    loud = np.where(random.random(shape) < 0.1, 3.0, 1.0)
    return random.standard_normal(shape) * loud / math.sqrt(0.9 + 0.1 * 9)


def one_sided(random: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Exponential: only one of the two is ever slowed down."""
    return random.standard_exponential(shape) - 1


def drifting(random: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Every round remembers the last one with a correlation of 0.4."""
    noise = random.standard_normal(shape)
    for place in range(1, shape[-1]):
        noise[..., place] = 0.4 * noise[..., place - 1] + math.sqrt(1 - 0.4**2) * noise[..., place]
    return noise


NOISES: dict[str, Noise] = {"normal": normal, "heavy tails": heavy, "bursts": bursts}
BREAKING: dict[str, Noise] = {"one-sided": one_sided, "drifting": drifting}
SDS = (0.05, 0.10, 0.15)
ROUNDS = (5, 10, 30)


def _random(sd: float, n: int) -> np.random.Generator:
    """A stream of its own for every setting."""
    return np.random.default_rng((SEED, round(1000 * sd), n))


def two(noise: Noise, sd: float, n: int, ratio: float, times: int) -> list[tuple[list[float], list[float]]]:
    """Experiments on two contestants whose log-ratio has this SD, on a machine whose own mood has 30 %."""
    random = _random(sd, n)
    mood = 100 * np.exp(0.3 * random.standard_normal((times, n)))
    a = mood * ratio * np.exp(sd * noise(random, (times, n)))
    return list(zip(a.tolist(), mood.tolist(), strict=True))


def coverage(noise: Noise, sd: float, n: int, times: int) -> float:
    """How often the 95 % interval holds the true ratio of 1.1."""
    covered = 0
    for a, b in two(noise, sd, n, 1.1, times):
        interval = paired(a, b).interval
        assert interval is not None
        covered += interval.covers(1.1)
    return covered / times


def bootstrap_coverage(n: int, times: int, resamples: int = 1000) -> float:
    """The same of a plain percentile bootstrap of the mean, with normal noise."""
    random = np.random.default_rng(SEED)
    covered = 0
    for a, b in two(normal, 0.1, n, 1.1, times):
        logs = np.array(log_ratios(a, b))
        means = logs[random.integers(0, n, (resamples, n))].mean(axis=1)
        low, high = np.quantile(means, (0.025, 0.975))
        covered += bool(low <= math.log(1.1) <= high)
    return covered / times


def findings(noise: Noise, sd: float, n: int, ratio: float, times: int) -> dict[Finding, float]:
    """``{finding: share}`` of comparisons of two contestants with this true ratio."""
    found = Counter(compare_all({"a": a, "b": b})[0].finding for a, b in two(noise, sd, n, ratio, times))
    return {finding: found[finding] / times for finding in Finding}


def families(noise: Noise, sd: float, n: int, true: Sequence[float], times: int) -> list[list[Comparison]]:
    """Every pair of contestants with these true values, many times; each log-ratio has this SD."""
    random = _random(sd, n)
    mood = 100 * np.exp(0.3 * random.standard_normal((times, 1, n)))
    level = np.array(true)[:, None]
    values = mood * level * np.exp(sd / math.sqrt(2) * noise(random, (times, len(true), n)))
    return [
        compare_all({str(who): rounds for who, rounds in enumerate(experiment)})
        for experiment in values.tolist()
    ]


def pairs_that_differ(true: Sequence[float]) -> list[bool]:
    """Of ``families``, in order."""
    return [a != b for a, b in combinations(true, 2)]


def false_alarms(family: Sequence[Comparison], differ: Sequence[bool]) -> int:
    """Pairs called different that are the same."""
    return sum(
        one.finding is Finding.DIFFERENT and not truth for one, truth in zip(family, differ, strict=True)
    )


def share_with_an_alarm(several: Sequence[Sequence[Comparison]], true: Sequence[float]) -> float:
    """Of ``families`` with these true values."""
    differ = pairs_that_differ(true)
    return sum(false_alarms(family, differ) > 0 for family in several) / len(several)


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What became of experiments whose rounds a pilot set: means, and shares of all of them."""

    rounds: float
    enough: float
    empty_promises: float
    significant: float
    significant_with_pilot: float


def planned(sd: float, ratio: float, times: int, pilot: int = 5) -> Planned:
    """Plan for 10 % from a pilot, measure, and test without the pilot's rounds and with them."""
    rounds = enough = empty = without = with_pilot = 0
    for a, b in two(normal, sd, pilot + 30, ratio, times):
        plan = rounds_needed(log_ratios(a[:pilot], b[:pilot]))
        rounds += plan.rounds
        enough += plan.enough
        empty += plan.enough and power_of(0.1, sd, plan.rounds) < 0.8
        end = pilot + plan.rounds
        without += _significant(a[pilot:end], b[pilot:end])
        with_pilot += _significant(a[: plan.rounds], b[: plan.rounds])
    return Planned(
        rounds=rounds / times,
        enough=enough / times,
        empty_promises=empty / times,
        significant=without / times,
        significant_with_pilot=with_pilot / times,
    )


def _significant(a: Sequence[float], b: Sequence[float]) -> bool:
    p = paired(a, b).p
    return p is not None and p <= 0.05


def main() -> None:
    """Print the tables."""
    times = 20_000
    print(f"Coverage of the 95 % interval, {times:,} experiments each\n")
    print("| noise | SD of the log-ratio | 5 rounds | 10 rounds | 30 rounds |\n|---|---|---|---|---|")
    for name, noise in {**NOISES, **BREAKING}.items():
        for sd in SDS if name in NOISES else SDS[1:2]:
            row = (f"{100 * coverage(noise, sd, n, times):.1f} %" for n in ROUNDS)
            print(f"| {name} | {100 * sd:.0f} % | {' | '.join(row)} |")
    row = (f"{100 * bootstrap_coverage(n, times):.1f} %" for n in ROUNDS)
    print(f"| normal, plain bootstrap | 10 % | {' | '.join(row)} |")

    for title, ratio in (("No difference", 1.0), ("A true difference of 10 %", 1.1)):
        print(f"\n{title}: what is said, normal noise (heavy tails), two contestants\n")
        print(f"| SD | rounds | {' | '.join(Finding)} |\n|---|---|---|---|---|")
        for sd in SDS:
            for n in ROUNDS:
                light = findings(normal, sd, n, ratio, times)
                heavier = findings(heavy, sd, n, ratio, times)
                row = (f"{100 * light[one]:.1f} % ({100 * heavier[one]:.1f} %)" for one in Finding)
                print(f"| {100 * sd:.0f} % | {n} | {' | '.join(row)} |")

    print("\nFamilies with a false alarm, 10 rounds, SD 10 %, 20,000 families\n")
    print("| contestants | normal | heavy tails |\n|---|---|---|")
    for who, true in {
        "two, the same": (1.0, 1.0),
        "five, all the same (10 pairs)": (1.0,) * 5,
        "five, one of them 30 % above (6 pairs the same)": (1.0, 1.0, 1.0, 1.0, 1.3),
    }.items():
        row = (
            f"{100 * share_with_an_alarm(families(noise, 0.1, 10, true, times), true):.1f} %"
            for noise in (normal, heavy)
        )
        print(f"| {who} | {' | '.join(row)} |")

    print("\nRounds set by a pilot of 5, 20,000 experiments each\n")
    print(
        "| SD | rounds on average | plans that promise 10 % | wrongly | A/A significant"
        " | had the pilot been kept | true 10 % found |\n|---|---|---|---|---|---|---|"
    )
    for sd in SDS:
        same, other = planned(sd, 1.0, times), planned(sd, 1.1, times)
        shares = (
            same.enough,
            same.empty_promises,
            same.significant,
            same.significant_with_pilot,
            other.significant,
        )
        row = (f"{100 * share:.1f} %" for share in shares)
        print(f"| {100 * sd:.0f} % | {same.rounds:.1f} | {' | '.join(row)} |")


if __name__ == "__main__":
    main()
