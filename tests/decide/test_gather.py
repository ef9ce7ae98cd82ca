"""From stored results to facts: what is unknown stays so, and values compare at one load."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bakeoff_bench.decide.facts import Facts
from bakeoff_bench.decide.gather import facts_of
from bakeoff_bench.decide.measures import Measure, of_middle, of_rounds
from bakeoff_bench.decide.musts import Answer, Can, Keeps, Recovers, Survives
from bakeoff_bench.report.sources import Kind, Source

_DEV = "measured on Temporal's dev server"


def _contract(statuses: dict[str, str | None], support: str = "native") -> Source:
    """One engine; of every test, which asks for signals, its status: ``None`` where it was not run."""
    claims = {"signals": {"support": support, "reason": "declared so"}}
    about = {"title": "a", "versions": {}, "config_class": "ci", "settings": {}, "claims": claims}
    tests = {
        f"test_signals::{name}": {
            "promise": "p",
            "needs": ["signals"],
            "results": {} if status is None else {"a": {"status": status, "reason": f"{name} says\nso"}},
        }
        for name, status in statuses.items()
    }
    result = {"format": 1, "engines": {"a": about}, "tests": tests}
    return Source(kind=Kind.CONTRACT, path=Path("contract.json"), result=result)


@pytest.mark.parametrize(
    ("statuses", "answer", "why"),
    [
        ({"x": "passed", "y": "passed"}, Answer.MET, "2 tests passed"),
        ({"x": "passed", "y": "unknown"}, Answer.UNKNOWN, "1 test passed, 1 unknown: y: y says"),
        ({"x": "passed", "y": None}, Answer.UNKNOWN, "1 test passed, 1 unknown: y: it was not run"),
        ({"x": "unknown", "y": "failed"}, Answer.NOT_MET, "1 test fails: y says"),
        ({"x": "unknown"}, Answer.UNKNOWN, "0 tests passed, 1 unknown: x: x says"),
    ],
)
def test_a_test_that_could_not_be_judged_meets_nothing(
    statuses: dict[str, str | None], answer: Answer, why: str
) -> None:
    (facts,) = facts_of([_contract(statuses)])

    for must in (Can(says="", capability="signals"), Keeps(says="", promise="test_signals")):
        finding = must.judge(facts)
        assert finding.answer is answer
        assert finding.why.removeprefix("native, ") == why
        assert bool(finding.work) == (answer is Answer.UNKNOWN)


def _kill(outcome: str, lease_s: float | None, recovery_s: float | None, series: int = 0) -> dict[str, Any]:
    return {
        **{"series": series, "contestant": "a", "fault": "worker-kill", "point": "x.after_effect"},
        **{"outcome": outcome, "lease_s": lease_s, "deadline_s": 60.0, "open": False},
        **{"detection_s": recovery_s, "first_progress_s": recovery_s, "recovery_s": recovery_s},
    }


def _crash(*rows: dict[str, Any], path: str = "runs/crash") -> Source:
    about = {"survives": ["worker_kill"], "settings": {}, "servers": ["valkey"], "note": ""}
    manifest = {
        "participants": "idempotent",
        "contestants": {"a": about},
        "series": [{"title": "recommended, short leases"}, {"title": "recommended"}],
    }
    return Source(kind=Kind.CRASH, path=Path(path), result={"manifest": manifest, "kills": rows})


def test_kills_whose_end_nobody_saw_leave_it_open_whatever_the_others_say() -> None:
    """A lease of 300 s is not over after 60 s: what looks stuck is not observed."""
    (facts,) = facts_of([_crash(*[_kill("clean", 5.0, 6.0)] * 20, *[_kill("stuck", 300.0, None)] * 3)])

    killed = facts.kills["worker-kill"]
    assert (killed.judged, killed.harmed, killed.unseen, killed.lease_s) == (20, 0, 3, 300.0)
    finding = Survives(says="", fault="worker-kill").judge(facts)
    assert finding.answer is Answer.UNKNOWN
    assert "3 more were not seen to their end" in finding.why
    assert finding.work.endswith("--kills 10 --deadline 370 --out DIR, in place of runs/crash")


def test_several_runs_are_evidence_together() -> None:
    (facts,) = facts_of(
        [_crash(_kill("clean", 5.0, 6.0)), _crash(_kill("lost", 5.0, None), path="runs/more")]
    )

    finding = Survives(says="", fault="worker-kill").judge(facts)
    assert (finding.why, finding.evidence) == ("1 of 2 kills did harm", "runs/crash, runs/more")


def test_recovery_is_that_of_the_leases_of_the_class_where_there_are_such_kills() -> None:
    short, own = _kill("clean", 5.0, 6.0), _kill("clean", 50.0, 51.0, series=1)
    (mixed,) = facts_of([_crash(short, own)])
    (shortened,) = facts_of([_crash(short)])

    assert mixed.measures[Measure.RECOVERY].value == 51.0
    assert Recovers(says="", within_s=20.0).judge(mixed).answer is Answer.NOT_MET
    assert Measure.RECOVERY not in shortened.measures
    assert Recovers(says="", within_s=20.0).judge(shortened).answer is Answer.UNKNOWN


def _block(label: str, name: str, rate: float, cpu: float, kept_up: bool = True) -> dict[str, Any]:
    return {
        **{"contestant": label, "block": name, "phase": "round", "users": 0 if rate else 16, "rate": rate},
        **{"kept_up": kept_up, "arrived": 300, "offered_per_s": rate, "settled_per_s": rate or 40.0},
        "latencies": {"order-completed-settled": {"n": 300, "p95": cpu / 100}},
        "cost": {"cpu_s.total": cpu, "steady_memory_bytes.total": 5e6, "most_processes.total": 3},
    }


def _row(block: dict[str, Any], number: int, cpu: float) -> dict[str, Any]:
    measured = {name: block[name] for name in ("offered_per_s", "kept_up", "latencies")}
    cost = {"per_1000": {"cpu_s.total": cpu}, "roles": {"total": {"steady_memory_bytes": 5e6}}}
    return {
        **{name: block[name] for name in ("contestant", "block", "phase", "users", "rate")},
        "round": number,
        "measured": {**measured, "void": [], "validity": "valid", "cost": cost},
    }


def _loaded(
    *blocks: dict[str, Any], rows: list[dict[str, Any]] | None = None, path: str = "runs/load", note: str = ""
) -> Source:
    plan = {"fault": None, "scenario": "order-steady", "saga": "order"}
    labels = dict.fromkeys(block["contestant"] for block in blocks)
    about = {"note": note, "servers": [], "settings": {}}
    result = {"plan": plan, "contestants": {label: dict(about) for label in labels}, "blocks": blocks}
    return Source(kind=Kind.LOAD, path=Path(path), result=result, loads=rows or [])


def _by_label(*sources: Source) -> dict[str, Facts]:
    return {one.label: one for one in facts_of(sources)}


def test_cost_is_compared_at_a_load_that_all_kept_up_with() -> None:
    """At 80 % only two of three did; there the third has no number, and at 50 % all have."""
    half = [_block(label, "50%", 10.0, 20.0 + number) for number, label in enumerate("abc")]
    most = [_block(label, "80%", 16.0, 10.0, kept_up=label != "c") for label in "abc"]

    found = _by_label(_loaded(*half, *most))

    assert [found[label].measures[Measure.CPU].value for label in "abc"] == [20.0, 21.0, 22.0]
    assert {one.measures[Measure.CPU].load for one in found.values()} == {"50%"}


def test_an_open_load_comes_before_a_closed_one_and_the_heavier_before_the_lighter() -> None:
    closed = [_block(label, "16 in flight", 0.0, 1.0) for label in "ab"]
    light = [_block(label, "5/s", 5.0, 2.0) for label in "ab"]
    heavy = [_block(label, "20/s", 20.0, 3.0) for label in "ab"]

    assert _by_label(_loaded(*closed, *light, *heavy))["a"].measures[Measure.CPU].load == "20/s"
    assert _by_label(_loaded(*heavy, *light, *closed))["a"].measures[Measure.CPU].load == "20/s"
    assert _by_label(_loaded(*closed))["a"].measures[Measure.CPU].load == "16 in flight"


def test_who_did_not_take_the_common_load_has_no_value_there() -> None:
    found = _by_label(
        _loaded(_block("a", "50%", 9.0, 1.0), _block("b", "50%", 9.0, 1.0), _block("c", "80%", 9.0, 1.0))
    )

    assert Measure.CPU in found["a"].measures
    assert Measure.CPU not in found["c"].measures


def test_latencies_compare_only_where_all_were_offered_the_same_rate() -> None:
    shares = _loaded(_block("a", "50%", 10.0, 20.0), _block("b", "50%", 30.0, 20.0))
    rates = _loaded(_block("a", "8/s", 8.0, 20.0), _block("b", "8/s", 8.0, 30.0), path="runs/rate")

    assert Measure.P95 not in _by_label(shares)["a"].measures
    found = _by_label(shares, rates)
    assert found["b"].measures[Measure.P95].value == 0.3
    assert found["b"].measures[Measure.P95].place == "runs/rate at 8/s"


def test_rounds_give_a_value_its_interval_where_they_are_kept() -> None:
    block = _block("a", "5/s", 5.0, 20.0)
    rounds = [_row(block, number, cpu) for number, cpu in enumerate((19.0, 20.0, 21.0))]

    value = _by_label(_loaded(block, rows=rounds))["a"].measures[Measure.CPU]
    assert value.low is not None
    assert value.high is not None
    assert 17.0 < value.low < 19.0 < 21.0 < value.high < 23.0
    alone = _by_label(_loaded(block, rows=rounds[:1]))["a"].measures[Measure.CPU]
    assert not alone.is_estimated


def test_a_dev_servers_loads_are_not_those_of_the_server_that_counts() -> None:
    dev = _loaded(_block("a", "50%", 9.0, 90.0), path="runs/dev", note=_DEV)
    own = _loaded(_block("a", "50%", 9.0, 20.0), path="runs/own")

    found = _by_label(dev, own, _crash(_kill("clean", 5.0, 6.0)))["a"]
    assert found.stand_in == ""
    assert {one.evidence for one in found.loads} == {"runs/own"}
    assert found.measures[Measure.CPU].value == 20.0
    found = _by_label(own, dev)["a"]
    assert found.stand_in
    assert {one.evidence for one in found.loads} == {"runs/dev"}


def test_the_interval_of_rounds_is_that_of_student_over_logs() -> None:
    """By hand: ln 10 and ln 12.1 are 0.19062 apart, the standard error is 0.09531, and t of 2 is 12.706."""
    value = of_rounds(11.05, [10.0, 12.1], "runs", "5/s")

    assert value.low == pytest.approx(11.0 / 3.3569, rel=1e-3)
    assert value.high == pytest.approx(11.0 * 3.3569, rel=1e-3)


@pytest.mark.parametrize(
    ("count", "ends"),
    [(1, None), (5, None), (6, (1, 6)), (10, (2, 9)), (20, (6, 15)), (29, (9, 21))],
)
def test_the_interval_of_a_median_is_between_two_of_the_values(
    count: int, ends: tuple[int, int] | None
) -> None:
    """Ranks from the usual tables of the sign test."""
    value = of_middle(range(count, 0, -1), "runs")

    assert value.value == (count + 1) / 2
    assert (value.low, value.high) == (ends or (None, None))
