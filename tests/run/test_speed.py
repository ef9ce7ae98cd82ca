"""The benchmark's arithmetic, and that it runs from end to end."""

from __future__ import annotations

from pathlib import Path

import pytest

from bakeoff.errors import BakeoffError
from bakeoff_bench.run.sums import percentile
from bakeoff_bench.speed.contract import run_suite
from bakeoff_bench.speed.domain import cpu_ms_per_order
from tests.run.conftest import Command


def test_percentile_is_a_value_that_occurred() -> None:
    values = [float(number) for number in range(1, 101)]

    assert percentile(values, 0.5) == 50
    assert percentile(values, 0.95) == 95
    assert percentile([3.0], 0.95) == 3
    assert percentile([], 0.5) is None


def test_services_cost_is_measured_without_an_engine() -> None:
    cpu_ms, wall_ms = cpu_ms_per_order(5)

    assert cpu_ms > 0
    assert wall_ms > 0


@pytest.mark.slow
def test_benchmark_prints_its_numbers(bakeoff: Command) -> None:
    ran = bakeoff("bench", "speed", "--engine", "inline", "--sagas", "10", "--rounds", "1", "--no-contract")
    inline = ran.result["engines"]["inline"]

    assert ran.code == 0, ran.err
    assert inline["noop_sagas_per_s"] > 0
    assert inline["order_sagas_per_s"] > 0
    assert inline["first_settled_s"] > 0
    assert "noop_against_native" not in inline  # there is nothing between a function and itself
    assert "domain and ledger" in ran.out
    assert "closed loop of 16" in ran.out
    assert inline["note"]
    assert f"inline: {inline['note']}" in ran.out


def test_suite_is_timed_and_its_colour_told(tmp_path: Path) -> None:
    """A part of it, on the engine that needs no server."""
    run = run_suite("inline", tmp_path, ["celery.broker=rabbitmq"], ["-k", "test_cancel_twice_is_one_cancel"])

    assert run.green
    assert run.seconds > 0


def test_suite_that_cannot_run_is_no_time(tmp_path: Path) -> None:
    with pytest.raises(BakeoffError, match="the contract suite did not run"):
        run_suite("nobody", tmp_path)
