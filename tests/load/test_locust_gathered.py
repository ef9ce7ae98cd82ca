"""Several generators' files as one load, and what is said of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bakeoff_bench.load.gathered import began_first_s, gather, in_one_clock, measure_all, pooled
from bakeoff_bench.load.generator.guard import Effort
from bakeoff_bench.load.generator.sample import Sample, SampleFile
from bakeoff_bench.load.generator.task import BEGAN, EFFORT, HISTORY, SAMPLES
from bakeoff_bench.load.locust_words import say_load, say_numbers
from bakeoff_bench.load.order import LoadOrder
from tests.load.measuring import KEPT_UP

_LATE = replace(KEPT_UP, late_p99_s=0.3, cpu_s=9.0)

_ORDER = LoadOrder(
    deployment="",
    saga="order",
    load="order-steady",
    rate=20.0,
    seconds=10.0,
    process="constant",
    seed=1,
    arrival_seed=1,
    label="x",
)


def _quick(at_s: float) -> float:
    return at_s + 0.1


def _write(
    folder: Path, began_s: float, effort: Effort | None, settled_s: Callable[[float], float] = _quick
) -> None:
    """Ten sagas per second for ten seconds, as a generator writes them down."""
    folder.mkdir()
    (folder / BEGAN).write_text(str(began_s))
    (folder / HISTORY).touch()
    if effort is not None:
        (folder / EFFORT).write_text(json.dumps({"began_s": began_s, "sent": 100, **effort.to_json()}))
    file = SampleFile(folder / SAMPLES)
    for number in range(100):
        at_s = number / 10
        file.add(
            Sample(
                workflow_id=f"{folder.name}-{number}",
                kind="order",
                status="completed",
                intended_s=at_s,
                due_s=at_s,
                sent_s=at_s,
                accepted_s=at_s + 0.01,
                settled_s=settled_s(at_s),
            )
        )
    file.close()


def test_each_generator_counts_from_its_own_beginning(tmp_path: Path) -> None:
    """The second one began half a minute later, by a clock of its own: its load is the same all the same."""
    _write(tmp_path / "generator-0", 1000.0, KEPT_UP)
    _write(tmp_path / "generator-1", 1030.0, KEPT_UP)
    parts = gather(tmp_path)
    found = measure_all(parts, _ORDER, 2.0)
    assert found is not None
    numbers, histograms = found

    assert began_first_s(tmp_path) == 1000.0
    assert len(pooled(parts)) == 200
    assert (numbers["arrived"], numbers["warm_up"]) == (160, 40)
    assert numbers["offered_per_s"] == pytest.approx(20.0)
    assert numbers["kept_up"]
    assert numbers["void"] == []
    assert histograms.count("order-completed-settled") == 160
    assert numbers["latencies"]["order-completed-settled"]["p95"] == pytest.approx(0.1, rel=0.01)
    assert numbers["latencies"]["order-completed-settled"]["p99"] is None


def test_a_fault_hits_all_of_them_at_one_moment(tmp_path: Path) -> None:
    _write(tmp_path / "generator-0", 1000.0, KEPT_UP)
    _write(tmp_path / "generator-1", 1003.0, KEPT_UP)
    first, second = (one for one in in_one_clock(gather(tmp_path), 1000.0) if one.workflow_id.endswith("-10"))

    assert first.intended_s == 1.0
    assert first.settled_s == pytest.approx(1.1)
    assert (second.intended_s, second.due_s, second.sent_s) == (4.0, 4.0, 4.0)
    assert second.settled_s == pytest.approx(4.1)
    assert second.told_s is None


def test_a_generator_that_did_not_keep_up_voids_all_of_it(tmp_path: Path) -> None:
    _write(tmp_path / "generator-0", 1000.0, KEPT_UP)
    _write(tmp_path / "generator-1", 1000.0, _LATE)
    found = measure_all(gather(tmp_path), _ORDER, 2.0)
    assert found is not None

    assert found[0]["void"] == [
        "generator 1: the generator needed 90% of a CPU",
        "generator 1: starts were up to 300 ms late (99th percentile)",
    ]


def test_without_one_of_them_there_are_no_numbers(tmp_path: Path) -> None:
    """It left: the others' half of the load is another load."""
    _write(tmp_path / "generator-0", 1000.0, KEPT_UP)
    _write(tmp_path / "generator-1", 1000.0, None)
    (tmp_path / "generator-2").mkdir()
    parts = gather(tmp_path)

    assert measure_all(parts, _ORDER, 2.0) is None
    assert [len(part.samples) for part in parts] == [100, 100, 0]
    assert [part.history is None for part in parts] == [False, False, True]


def test_what_is_said_of_a_backlog(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Half as fast as they come: percentiles are marked, and those of too few values not shown."""
    _write(tmp_path / "generator-0", 1000.0, KEPT_UP, lambda at_s: 0.1 + 2 * at_s)
    parts = gather(tmp_path)
    found = measure_all(parts, _ORDER, 2.0)
    assert found is not None
    say_load(1, "nobody", _ORDER, parts)
    say_numbers(found[0], 2.0)
    said = capsys.readouterr().out

    assert "load 1: order-steady on nobody, 20/s, 10 s, constant arrivals: 100 sagas\n" in said
    (line,) = (line for line in said.splitlines() if line.startswith("order-completed-settled"))
    assert line.split()[1] == "80"
    assert line.count(" !") == 2
    assert line.count("too few") == 2
    assert "!: the backlog grew by" in said
    assert "too few: fewer values than a percentile needs (p50 5, p90 50, p95 100, p99 1000)" in said


def test_one_alone_has_all_of_it(tmp_path: Path) -> None:
    _write(tmp_path / "load-1", 1000.0, _LATE)
    parts = gather(tmp_path / "load-1")
    found = measure_all(parts, _ORDER, 0.0)
    assert found is not None

    assert [part.number for part in parts] == [0]
    assert found[0]["void"][0] == "the generator needed 90% of a CPU"
