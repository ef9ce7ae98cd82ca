"""Two runs against each other: what is beyond chance, and what breaks a limit."""

from __future__ import annotations

import math
from random import Random

import pytest

from bakeoff.errors import UsageError
from bakeoff_bench.load.comparison import comparisons
from bakeoff_bench.load.words import speeds_apart
from bakeoff_bench.runs.against import Limit, broken, changes, untold
from bakeoff_bench.runs.markdown import markdown_of
from bakeoff_bench.runs.rounds import Series, series_of
from tests.load.measuring import measured


def _series(metric: str, *values: float, block: str = "10/s") -> Series:
    return Series(contestant="celery[valkey]", block=block, metric=metric, values=dict(enumerate(values)))


_BEFORE = (0.100, 0.104, 0.097, 0.101, 0.099)


def test_a_change_has_its_interval() -> None:
    (change,) = changes([_series("p95", *_BEFORE)], [_series("p95", *(1.2 * one for one in _BEFORE))])

    assert change.ratio == pytest.approx(1.2)
    assert change.low is not None
    assert change.high is not None
    assert 1.1 < change.low < 1.2 < change.high < 1.3
    assert change.beyond_chance
    assert change.worse


def test_the_same_run_has_not_changed() -> None:
    (change,) = changes([_series("p95", *_BEFORE)], [_series("p95", *_BEFORE)])

    assert change.ratio == pytest.approx(1.0)
    assert not change.beyond_chance


@pytest.mark.parametrize(
    ("metric", "factor", "limit", "breaks"),
    [
        ("p95", 1.2, "p95:10%", True),
        ("p95", 1.2, "p95:30%", False),
        ("p95", 0.8, "p95:10%", False),
        ("settled_per_s", 0.8, "settled_per_s:10", True),
        ("settled_per_s", 1.2, "settled_per_s:10", False),
        ("settled_per_s", 0.95, "settled_per_s:10%", False),
        ("p95", 1.2, "p50:10%", False),
    ],
)
def test_only_what_is_worse_by_more_breaks_a_limit(
    metric: str, factor: float, limit: str, breaks: bool
) -> None:
    after = _series(metric, *(factor * one for one in _BEFORE))
    (change,) = changes([_series(metric, *_BEFORE)], [after])

    assert broken([Limit.read(limit)], [change]) == ([change] if breaks else [])


def test_a_table_for_a_pull_request_has_what_matters_first() -> None:
    same = _series("p50", *_BEFORE)
    slower = _series("p95", *(1.2 * one for one in _BEFORE), block="a|b")
    found = [
        *changes([same, _series("p95", *_BEFORE, block="a|b")], [same, slower]),
        *changes([_series("settled_per_s", 1.0)], [_series("settled_per_s", 2.0)]),
    ]

    lines = markdown_of(found, [found[1]], ("main", "mine")).splitlines()

    assert lines[0] == "**bakeoff compare**: A is `main`, B is `mine`"
    assert lines[4].startswith("| celery[valkey] | a\\|b | p95 | 0.1")
    assert lines[4].endswith("| **worse than allowed** |")
    assert {line.split(" | ")[-1] for line in lines[5:7]} == {"no more than chance |", "cannot be told |"}
    assert lines[-1].startswith("1 worse than allowed; ")
    assert "nothing is worse than allowed" in markdown_of(found, [], ("a", "b"))
    noted = markdown_of(found, [], ("a", "b"), {"temporal": "dev server"})
    assert noted.splitlines()[-1] == "temporal: dev server."


def test_chance_breaks_no_limit() -> None:
    """Two noisy rounds say little, however far apart."""
    (change,) = changes([_series("p95", 0.1, 0.2)], [_series("p95", 0.15, 0.3)])

    assert change.ratio == pytest.approx(1.5)
    assert not broken([Limit.read("p95:10%")], [change])


def test_of_many_comparisons_none_breaks_a_limit_by_chance_alone() -> None:
    """A run against itself, forty metrics: uncorrected, most such runs would find something worse."""
    random = Random(4)
    limits = [Limit.read("p95:0%")]

    def rounds(block: int) -> Series:
        return _series("p95", *(0.1 * math.exp(random.gauss(0, 0.1)) for _ in range(6)), block=f"{block}/s")

    by_chance = sum(
        bool(broken(limits, changes([rounds(n) for n in range(40)], [rounds(n) for n in range(40)])))
        for _ in range(200)
    )
    assert by_chance <= 200 * 0.06


def test_what_run_b_does_not_tell_passes_no_limit() -> None:
    """Overloaded it has no percentiles: the worst regression of all."""
    before = [_series("p95", *_BEFORE), _series("settled_per_s", 10.0), _series("p95", *_BEFORE, block="5/s")]
    after = [_series("settled_per_s", 9.9), _series("p95", *_BEFORE, block="5/s")]
    limit = [Limit.read("p95:10%")]

    (sentence,) = untold(limit, before, after, ["celery[valkey]"])
    assert sentence.startswith("celery[valkey], 10/s: B tells no p95; ")
    told = markdown_of(changes(before, after), [], ("a", "b"), untold=[sentence])
    assert "nothing is worse than allowed" not in told
    assert told.endswith(f"**{sentence}.**")
    assert untold(limit, before, after, ["temporal"]) == []
    assert untold([Limit.read("settled_per_s:1%")], before, after, ["celery[valkey]"]) == []
    with pytest.raises(UsageError, match="no round of the first run tells it"):
        untold([Limit.read("p50:1%")], before, after, ["celery[valkey]"])


def test_the_rounds_that_were_kept_up_with_are_no_answer_for_the_others() -> None:
    """A choice of the best three of ten passes no limit, however good they are."""
    before, after = (
        Series(
            contestant="a", block="5/s", metric="p95", values=dict.fromkeys(range(n), 0.1), counted=range(10)
        )
        for n in (10, 3)
    )

    (sentence,) = untold([Limit.read("p95:900%")], [before], [after], ["a"])
    assert sentence.startswith("a, 5/s: B tells p95 of 3 of its 10 rounds that count; ")
    assert untold([Limit.read("p95:900%")], [after], [after], ["a"]) == [], "it was not otherwise before"


@pytest.mark.parametrize(
    ("then", "now", "told"), [(0.02, 0.03, "took 1.50 times as long"), (0.02, 0.021, "")]
)
def test_machines_that_were_not_as_fast_as_each_other(then: float, now: float, told: str) -> None:
    said = speeds_apart({"machine_speed": {"usual_s": then}}, {"machine_speed": {"usual_s": now}})

    assert told in said
    assert bool(said) is bool(told)
    assert speeds_apart({}, {"machine_speed": {"usual_s": now}}) == ""


@pytest.mark.parametrize("text", ["p95", "p95:", "p95:ten", "p95:-1", "p95:nan", "speed:10%"])
def test_a_limit_that_makes_no_sense(text: str) -> None:
    with pytest.raises(UsageError, match=r"--fail-if"):
        Limit.read(text)


def test_runs_that_share_nothing() -> None:
    with pytest.raises(UsageError, match="no contestant and block in common"):
        changes([_series("p95", *_BEFORE)], [_series("p95", *_BEFORE, block="20/s")])


def _row(
    contestant: str, number: int, *, void: bool = False, valid: bool = True, **numbers: float
) -> dict[str, object]:
    about = measured(
        void=["late"] if void else [],
        validity="valid" if valid else "invalid",
        **numbers,  # type: ignore[arg-type]
    )
    return {
        "contestant": contestant,
        "phase": "round",
        "block": "16 in flight",
        "round": number,
        "users": 16,
        "measured": about.to_json(),
    }


def test_rounds_that_do_not_count_are_left_out() -> None:
    rows = [_row("a", 0), _row("a", 1, void=True), _row("a", 2, valid=False), _row("a", 3)]

    (found,) = [one for one in series_of(rows) if one.metric == "settled_per_s"]
    assert set(found.values) == {0, 3}


def test_contestants_are_compared_over_the_rounds_that_both_have() -> None:
    """One of them is twice as fast; a round that is void for one counts for neither."""
    rates = (10.0, 11.0, 9.5, 10.2)
    rows = [_row("fast", n, settled_per_s=2 * rate) for n, rate in enumerate(rates)]
    rows += [_row("slow", n, settled_per_s=rate, void=n == 2) for n, rate in enumerate(rates)]

    (found,) = comparisons(rows)
    assert found["rounds"] == 3
    assert found["ratio"] == pytest.approx(2.0)
    assert found["finding"] == "different"
    assert "fast is 100 %" in found["word"]


@pytest.mark.parametrize(("grew", "rounds", "without"), [(1, 3, 1), (2, None, None)])
def test_a_median_of_the_best_rounds_is_not_compared(
    grew: int, rounds: int | None, without: int | None
) -> None:
    """One of four in which a backlog grew is left out on both sides, and counted; of two there is no pair."""
    rows = []
    for name in ("a", "b"):
        for number in range(4):
            about = measured(kept_up=name == "a" or number >= grew)
            rows.append({**_row(name, number), "block": "5/s", "users": 0, "measured": about.to_json()})
    found = [(one["rounds"], one["without"]) for one in comparisons(rows)]

    assert found == ([] if rounds is None else [(rounds, without)])
