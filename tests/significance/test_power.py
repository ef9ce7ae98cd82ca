"""What a number of rounds can see, and how many are needed."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import nct, t

from bakeoff.errors import UsageError
from bakeoff_bench.significance import log_ratios, paired, power_of, resolvable, rounds_for, rounds_needed
from tests.significance.simulation import normal, two

EXAMPLES = settings(max_examples=200, deadline=None, derandomize=True)


def test_power_is_that_of_the_tables() -> None:
    """Effects of 0.5 and 0.8 SD need 34 and 15 pairs for a power of 0.8 at 5 %, two-sided (G*Power 3.1)."""
    half, large = math.expm1(0.5 * 0.1), math.expm1(0.8 * 0.1)

    assert power_of(half, 0.1, 33) < 0.8 <= power_of(half, 0.1, 34)
    assert power_of(large, 0.1, 14) < 0.8 <= power_of(large, 0.1, 15)


@pytest.mark.parametrize("n", [2, 3, 5, 10, 30])
@pytest.mark.parametrize("alpha", [0.05, 0.005])
def test_power_is_both_tails_of_the_noncentral_t(n: int, alpha: float) -> None:
    """Against the distribution in ``scipy.stats``, which is another implementation."""
    beyond, effect = float(t.isf(alpha / 2, n - 1)), math.log1p(0.1) * math.sqrt(n) / 0.1
    expected = nct.sf(beyond, n - 1, effect) + nct.cdf(-beyond, n - 1, effect)

    assert power_of(0.1, 0.1, n, alpha) == pytest.approx(float(expected), abs=1e-6)


@EXAMPLES
@given(st.floats(0.001, 0.5), st.integers(2, 40), st.sampled_from([0.05, 0.01, 0.005]), st.floats(0.5, 0.99))
def test_resolvable_is_the_inverse_of_power(log_sd: float, n: int, alpha: float, power: float) -> None:
    difference = resolvable(log_sd, n, alpha, power)

    assert math.isinf(difference) or power_of(difference, log_sd, n, alpha) == pytest.approx(power, abs=1e-3)


def test_more_rounds_less_noise_and_fewer_comparisons_resolve_more() -> None:
    assert resolvable(0.1, 20) < resolvable(0.1, 10) < resolvable(0.2, 10)
    assert resolvable(0.1, 10) < resolvable(0.1, 10, 0.05 / 10)
    assert resolvable(0.1, 10) < resolvable(0.1, 10, power=0.9)


def test_one_round_resolves_nothing_and_no_noise_resolves_everything() -> None:
    assert resolvable(0.1, 1) == math.inf
    assert resolvable(1000.0, 2) == math.inf
    assert resolvable(0.0, 5) == 0


@pytest.mark.parametrize("n", [5, 10, 30])
def test_a_difference_that_is_resolvable_is_found_in_four_of_five_experiments(n: int) -> None:
    """By the test itself, not by the formula."""
    ratio = 1 + resolvable(0.1, n)
    found = sum((paired(a, b).p or 0) <= 0.05 for a, b in two(normal, 0.1, n, ratio, 4000))

    assert 0.78 <= found / 4000 <= 0.82


def test_quiet_pilot_needs_the_least_and_a_loud_one_the_most() -> None:
    quiet, loud = rounds_needed([0.01, -0.01, 0.0]), rounds_needed([0.5, -0.5, 0.0])

    assert (quiet.rounds, quiet.enough) == (10, True)
    assert quiet.resolves < 0.1
    assert (loud.rounds, loud.enough) == (30, False)
    assert loud.resolves == pytest.approx(resolvable(loud.planned_sd, 30))
    assert loud.resolves > 0.1


@EXAMPLES
@given(st.lists(st.floats(-0.3, 0.3), min_size=2, max_size=10), st.integers(1, 10), st.floats(0.02, 0.5))
def test_plan_is_the_fewest_rounds_that_resolve_it(
    pilot: list[float], comparisons: int, resolve: float
) -> None:
    plan = rounds_needed(pilot, comparisons=comparisons, resolve=resolve)
    level = 0.05 / comparisons

    assert 10 <= plan.rounds <= 30
    assert plan.enough == (plan.resolves <= resolve)
    assert plan.resolves == resolvable(plan.planned_sd, plan.rounds, level)
    assert plan.rounds == 10 or resolvable(plan.planned_sd, plan.rounds - 1, level) > resolve
    assert plan.enough or plan.rounds == 30


def test_pilot_is_not_believed_to_know_its_noise() -> None:
    """Of pilots of five rounds, four in five plan with an SD that is at least the true one."""
    random = np.random.default_rng(7)
    plans = [rounds_needed(pilot) for pilot in random.normal(0, 0.1, (4000, 5)).tolist()]

    assert sum(plan.log_sd >= 0.1 for plan in plans) / 4000 < 0.45
    assert 0.78 <= sum(plan.planned_sd >= 0.1 for plan in plans) / 4000 <= 0.82


def test_plan_for_several_is_that_of_the_noisiest_pair_corrected_for_all() -> None:
    quiet, loud = [100.0, 103.0, 98.0, 101.0], [100.0, 110.0, 93.0, 104.0]
    flat = [100.0] * 4
    all_pairs = rounds_for({"quiet": quiet, "loud": loud, "flat": flat})
    with_quiet = rounds_for({"quiet": quiet, "loud": loud, "flat": flat}, baseline="quiet")

    assert all_pairs == rounds_needed(log_ratios(loud, flat), comparisons=3)
    assert with_quiet == rounds_needed(log_ratios(loud, quiet), comparisons=2)
    five_loads = rounds_for({"quiet": quiet, "loud": loud, "flat": flat}, loads=5)
    assert five_loads == rounds_needed(log_ratios(loud, flat), comparisons=15)
    assert 10 < with_quiet.rounds < all_pairs.rounds < 30  # the limits would hide what is compared here


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"pilot": [0.1]}, "a pilot of 1 rounds knows nothing"),
        ({"pilot": [0.1, 0.2], "resolve": 0.0}, "no plan for a difference of 0 in 10 to 30 rounds"),
        ({"pilot": [0.1, 0.2], "least": 1}, "in 1 to 30 rounds"),
        ({"pilot": [0.1, 0.2], "least": 20, "most": 10}, "in 20 to 10 rounds"),
    ],
)
def test_what_makes_no_plan_is_told(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        rounds_needed(**arguments)  # type: ignore[arg-type]


def test_nobody_is_planned_for_alone() -> None:
    with pytest.raises(UsageError, match="celery alone cannot be compared"):
        rounds_for({"celery": [1.0, 2.0]})
