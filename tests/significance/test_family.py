"""Several comparisons together, and their words."""

from __future__ import annotations

import json
import math
import re
from dataclasses import asdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bakeoff.errors import UsageError
from bakeoff_bench.significance import Finding, Interval, Paired, compare_all, judge, paired
from bakeoff_bench.significance.family import holm
from bakeoff_bench.significance.words import beyond, difference

EXAMPLES = settings(max_examples=100, deadline=None, derandomize=True)
#: Ten rounds of 5 % noise each.
WAVE = [0.05 * math.sin(7 * number) * math.sqrt(2) for number in range(10)]
OTHER = [0.05 * math.cos(5 * number) * math.sqrt(2) for number in range(10)]


def _rounds(level: float, noise: list[float]) -> list[float]:
    return [level * math.exp(one) for one in noise]


def _with(p: float) -> Paired:
    return Paired(ratio=1.2, interval=Interval(1.1, 1.3), p=p, log_sd=0.1, n=10)


def test_holm_adjusts_as_in_the_textbook() -> None:
    """``p.adjust(c(.01, .04, .03, .005), "holm")`` of R."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.4, 0.6, 0.7]) == [1, 1, 1]
    assert holm([]) == []


def test_difference_is_a_sentence_with_its_interval() -> None:
    (found,) = compare_all({"A": _rounds(112, WAVE), "B": _rounds(100, OTHER)})
    (back,) = compare_all({"B": _rounds(100, OTHER), "A": _rounds(112, WAVE)})

    assert found.finding is Finding.DIFFERENT
    assert found.paired == paired(_rounds(112, WAVE), _rounds(100, OTHER))
    assert re.fullmatch(r"A is \d+ % \(\d+ to \d+ %\) above B", found.word)
    assert re.fullmatch(r"B is \d+ % \(\d+ to \d+ %\) below A", back.word)


@pytest.mark.parametrize(
    ("ratio", "low", "high", "word"),
    [
        (1.12, 1.08, 1.16, "A is 12 % (8 to 16 %) above B"),
        (0.88, 0.84, 0.92, "A is 12 % (8 to 16 %) below B"),
        (1.08, 1.003, 1.16, "A is 8.0 % (0.3 to 16.0 %) above B"),
        (1.02, 1.018, 1.022, "A is 2.0 % (1.8 to 2.2 %) above B"),
        (13.5, 12.0, 15.0, "A is 1,250 % (1,100 to 1,400 %) above B"),
        (2.0, 2.0, 2.0, "A is 100 % (100 to 100 %) above B"),
        (1.1, 1.0999999999, 1.1000000001, "A is 10.000 % (10.000 to 10.000 %) above B"),
    ],
)
def test_difference_has_the_decimals_that_it_needs(ratio: float, low: float, high: float, word: str) -> None:
    assert difference("A", "B", ratio, Interval(low, high)) == word


def test_what_cannot_be_resolved_is_rounded_up() -> None:
    assert beyond(0.1201) == "cannot resolve below 13 %"
    assert beyond(24.7) == "cannot resolve below 2,470 %"
    assert beyond(1e40) == beyond(math.inf) == "cannot resolve any difference"


def test_no_difference_is_only_said_where_one_would_have_been_found() -> None:
    quiet = {"A": _rounds(100, WAVE), "B": _rounds(100, OTHER)}
    (enough,) = compare_all(quiet)
    (asked_too_much,) = compare_all(quiet, resolve=0.01)
    (too_few,) = compare_all({name: rounds[:3] for name, rounds in quiet.items()})

    assert (enough.finding, enough.word) == (Finding.SAME, "no significant difference")
    assert enough.resolves is not None
    assert enough.resolves <= 0.1
    assert asked_too_much.finding is Finding.UNRESOLVED
    assert asked_too_much.word == beyond(enough.resolves)
    assert too_few.finding is Finding.UNRESOLVED


def test_one_round_resolves_nothing_and_is_still_json() -> None:
    (found,) = compare_all({"A": [1.0], "B": [2.0]})

    assert (found.finding, found.word) == (Finding.UNRESOLVED, "cannot resolve any difference")
    assert (found.p_adjusted, found.together, found.resolves) == (1, None, None)
    assert json.loads(json.dumps(asdict(found), allow_nan=False))["finding"] == "cannot resolve"


def test_baseline_is_compared_with_everybody_else() -> None:
    values = {"a": [1.0, 2.0], "b": [1.0, 3.0], "c": [2.0, 3.0]}

    assert [(one.a, one.b) for one in compare_all(values, baseline="b")] == [("a", "b"), ("c", "b")]
    assert [(one.a, one.b) for one in compare_all(values)] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert compare_all({"a": [1.0]}) == []
    assert compare_all({}) == []


def test_bad_input_names_who_and_where() -> None:
    with pytest.raises(UsageError, match="baseline 'd' was not measured; measured: a, b"):
        compare_all({"a": [1.0], "b": [1.0]}, baseline="d")
    with pytest.raises(UsageError, match="a against b: round 1 measured 1 against 0"):
        compare_all({"a": [1.0], "b": [0.0]})


def test_a_family_of_several_metrics_is_corrected_as_one() -> None:
    """0.02 is significant alone, not beside two others that are not; nor does it resolve as much."""
    (alone,) = judge([("a", "b", _with(0.02))])
    beside = judge([("a", "b", _with(0.5)), ("a", "b", _with(0.02)), ("a", "b", _with(0.9))])

    assert alone.finding is Finding.DIFFERENT
    assert beside[1].p_adjusted == pytest.approx(0.06)
    assert beside[1].finding is not Finding.DIFFERENT
    assert alone.resolves is not None
    assert beside[1].resolves is not None
    assert beside[1].resolves > alone.resolves
    assert beside[1].together == _with(0.02).interval_at(0.05 / 3)


def test_what_was_found_leaves_more_power_for_the_rest() -> None:
    """Holm holds the last one against 5 %, not against a third of it."""
    found = judge([("a", "b", _with(1e-9)), ("a", "c", _with(1e-9)), ("b", "c", _with(0.5))])
    (alone,) = judge([("b", "c", _with(0.5))])

    assert found[2].resolves == alone.resolves


@EXAMPLES
@given(
    st.lists(st.lists(st.floats(50, 200), min_size=6, max_size=6), min_size=2, max_size=5),
    st.randoms(use_true_random=False),
)
def test_order_of_contestants_does_not_matter(table: list[list[float]], random: object) -> None:
    names = [f"engine-{number}" for number in range(len(table))]
    measurements = dict(zip(names, table, strict=True))
    random.shuffle(names)  # type: ignore[attr-defined]
    there = {frozenset((one.a, one.b)): one for one in compare_all(measurements)}
    back = {
        frozenset((one.a, one.b)): one for one in compare_all({name: measurements[name] for name in names})
    }

    assert there.keys() == back.keys()
    for pair, one in there.items():
        other = back[pair]
        assert one.finding is other.finding
        assert one.p_adjusted == pytest.approx(other.p_adjusted)
        assert one.resolves == pytest.approx(other.resolves)


@EXAMPLES
@given(st.lists(st.lists(st.floats(50, 200), min_size=6, max_size=6), min_size=2, max_size=5))
def test_what_is_called_different_lies_outside_its_interval(table: list[list[float]]) -> None:
    """And the interval that stands for all is never the narrower one."""
    for one in compare_all({str(number): rounds for number, rounds in enumerate(table)}):
        alone, together = one.paired.interval, one.together
        assert alone is not None
        assert together is not None
        assert one.finding is not Finding.DIFFERENT or not alone.low < 1 < alone.high
        assert together.low <= alone.low * (1 + 1e-12)
        assert together.high >= alone.high * (1 - 1e-12)
