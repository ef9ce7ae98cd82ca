"""Two contestants over the same rounds."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import ttest_rel

from bakeoff.errors import UsageError
from bakeoff_bench.significance import Interval, Paired, paired, proportion

VALUES = st.floats(1e-3, 1e6)
ROUNDS = st.lists(st.tuples(VALUES, VALUES), min_size=2, max_size=30)
EXAMPLES = settings(max_examples=200, deadline=None, derandomize=True)


def _same(one: Paired, other: Paired) -> bool:
    """Up to rounding, of which logs of values that nearly agree have much."""
    assert one.interval is not None
    assert other.interval is not None
    assert one.log_sd is not None
    assert other.log_sd is not None
    close = dict(rel_tol=1e-9, abs_tol=1e-9)
    mine = (math.log(one.ratio), math.log(one.interval.low), math.log(one.interval.high), one.log_sd)
    yours = (math.log(other.ratio), math.log(other.interval.low), math.log(other.interval.high), other.log_sd)
    return one.n == other.n and all(math.isclose(a, b, **close) for a, b in zip(mine, yours, strict=True))


def test_ratio_is_the_geometric_mean_with_students_interval() -> None:
    found = paired([90.0, 110.0, 100.0], [100.0, 100.0, 100.0])

    assert found.ratio == pytest.approx((0.9 * 1.1) ** (1 / 3))
    assert found.interval is not None
    # Paired logs: -0.105, 0.095, 0; s = 0.10038; t(2) = 4.303.
    assert found.log_sd == pytest.approx(0.10038, rel=1e-4)
    half = 4.303 * 0.10038 / math.sqrt(3)
    assert math.log(found.interval.high / found.ratio) == pytest.approx(half, rel=1e-3)
    assert math.log(found.interval.low / found.ratio) == pytest.approx(-half, rel=1e-3)


def test_one_round_is_a_ratio_and_nothing_more() -> None:
    found = paired([50.0], [100.0])

    assert found == Paired(ratio=0.5, interval=None, p=None, log_sd=None, n=1)
    assert found.interval_at(0.01) is None


@settings(EXAMPLES, max_examples=50)
@given(st.lists(st.tuples(st.floats(1, 100), st.floats(1, 100)), min_size=2, max_size=30))
def test_it_is_the_paired_t_test_of_the_logs(rounds: list[tuple[float, float]]) -> None:
    """Against SciPy's own, at two levels."""
    a, b = zip(*rounds, strict=True)
    found = paired(a, b)
    assume(found.log_sd is not None and found.log_sd > 1e-3)  # SciPy warns of what is nearly constant
    told = ttest_rel(np.log(a), np.log(b))

    assert found.p == pytest.approx(float(told.pvalue), rel=1e-6, abs=1e-12)
    for interval, confidence in ((found.interval, 0.95), (found.interval_at(0.01), 0.99)):
        assert interval is not None
        assert np.log(interval) == pytest.approx(np.array(told.confidence_interval(confidence)), rel=1e-6)


@EXAMPLES
@given(ROUNDS)
def test_swapped_contestants_are_the_inverse(rounds: list[tuple[float, float]]) -> None:
    a, b = zip(*rounds, strict=True)
    one, other = paired(a, b), paired(b, a)
    assert one.interval is not None

    inverse = Interval(1 / one.interval.high, 1 / one.interval.low)
    assert _same(other, Paired(ratio=1 / one.ratio, interval=inverse, p=one.p, log_sd=one.log_sd, n=one.n))
    assert other.p == pytest.approx(one.p)


@EXAMPLES
@given(ROUNDS, st.lists(st.floats(1e-3, 1e3), min_size=30, max_size=30), st.randoms(use_true_random=False))
def test_unit_mood_of_a_round_and_order_of_rounds_do_not_matter(
    rounds: list[tuple[float, float]], moods: list[float], random: object
) -> None:
    """Whatever multiplies both contestants of a round cancels out."""
    shuffled = [(a * mood, b * mood) for (a, b), mood in zip(rounds, moods, strict=False)]
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert _same(paired(*zip(*rounds, strict=True)), paired(*zip(*shuffled, strict=True)))


def test_what_never_varies_is_certain() -> None:
    """Counts of lines or statements have no noise."""
    assert paired([7, 7, 7], [7, 7, 7]).p == 1
    assert paired([14, 14, 14], [7, 7, 7]).p == 0
    assert paired([14, 14, 14], [7, 7, 7]).interval == pytest.approx((2, 2))


def test_two_rounds_far_apart_say_nothing_and_do_not_overflow() -> None:
    found = paired([1e-100, 1e100], [1e100, 1e-100])

    assert found.interval == (0, math.inf)


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ([1.0, 2.0], [1.0], "2 rounds of one against 1 of the other: leave out"),
        ([], [], "no rounds to compare: measure at least two"),
        ([1.0, 0.0], [1.0, 5.0], r"round 2 measured 0 against 5, .* leave this round out"),
        ([1.0, 5.0], [1.0, -3.0], "round 2 measured 5 against -3,"),
        ([math.nan], [1.0], "round 1 measured nan against 1,"),
        ([1.0], [math.inf], "round 1 measured 1 against inf,"),
    ],
)
def test_what_has_no_ratio_is_told_with_its_place(a: list[float], b: list[float], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        paired(a, b)


def test_share_has_wilsons_interval() -> None:
    """1 in 10, 0 in 145: from the formula."""
    assert proportion(1, 10) == pytest.approx((0.0179, 0.4042), abs=1e-4)
    assert proportion(0, 145) == pytest.approx((0, 0.0258), abs=1e-4)
    assert proportion(0, 0) is None


@pytest.mark.parametrize(("hits", "n"), [(3, 2), (-1, 2), (1, 0)])
def test_share_of_more_than_all_is_no_share(hits: int, n: int) -> None:
    with pytest.raises(ValueError, match="must"):
        proportion(hits, n)


def test_command_line_starts_without_scipy() -> None:
    """It takes half a second or more that every command would pay."""
    code = (
        "import sys, typer; from bakeoff_bench.commands import bakeoff_register_commands as add;"
        " add(typer.Typer()); sys.exit('scipy' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
