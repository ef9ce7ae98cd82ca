"""A load part by part: where it is cut, and what is told of each part."""

from __future__ import annotations

import pytest

from bakeoff_bench.load.generator.sample import Sample
from bakeoff_bench.load.parts import edges_of, parts_of, pooled
from bakeoff_bench.meter.usage import Sample as Usage
from bakeoff_scenarios import LOADS, Leg


def _sample(at_s: float, took_s: float | None = 0.5, kind: str = "order") -> Sample:
    settled_s = None if took_s is None else at_s + took_s
    return Sample(
        workflow_id=f"{kind}-{at_s}",
        kind=kind,
        status="completed",
        intended_s=at_s,
        due_s=at_s,
        sent_s=at_s,
        accepted_s=at_s,
        settled_s=settled_s,
        told_s=settled_s,
    )


def _usage(t: float, megabytes: int, role: str = "total") -> Usage:
    return Usage(t=t, role=role, cpu_s=0.0, memory_bytes=megabytes * 1_000_000, processes=1, threads=1)


@pytest.mark.parametrize(
    ("name", "seconds", "edges"),
    [
        ("order-steady", 20.0, []),
        ("order-steady", 500.0, [(0, 100), (100, 200), (200, 300), (300, 400), (400, 500)]),
        ("order-ramp", 50.0, [(0, 10), (10, 20), (20, 30), (30, 40), (40, 50)]),
        ("order-steps", 100.0, [(0, 20), (20, 40), (40, 60), (60, 80), (80, 100)]),
        ("order-spike", 100.0, [(0, 40), (40, 50), (50, 100)]),
    ],
)
def test_where_a_load_is_cut(name: str, seconds: float, edges: list[tuple[float, float]]) -> None:
    found = edges_of(LOADS[name].shape(10.0, seconds))

    assert [edge for part in found for edge in part] == pytest.approx([e for part in edges for e in part])


def test_a_shape_of_many_seconds_is_cut_evenly() -> None:
    assert edges_of([Leg(1.0, 5.0, 5.0)] * 60)[0] == (0.0, 12.0)


def test_what_is_open_and_used_at_the_time_of_a_part() -> None:
    """The meter began two seconds before the first arrival."""
    legs = [Leg(10.0, 1.0, 1.0), Leg(10.0, 3.0, 3.0)]
    samples = [_sample(1.0), _sample(9.0, took_s=4.0), _sample(12.0, took_s=None)]
    usage = [_usage(1.0, 900), _usage(3.0, 50), _usage(4.0, 5, "workers"), _usage(13.0, 70), _usage(30.0, 1)]

    first, second = parts_of(legs, samples, usage, metered_s=-2.0)

    assert (first["from_s"], first["until_s"], first["open_at_end"]) == (0.0, 10.0, 1)
    assert (second["from_s"], second["until_s"], second["open_at_end"]) == (10.0, 20.0, 1)
    assert (first["memory_bytes"], second["memory_bytes"]) == (50_000_000, 70_000_000)


def test_rounds_are_pooled_and_the_warm_up_is_left_out() -> None:
    legs = [Leg(10.0, 1.0, 1.0), Leg(10.0, 3.0, 3.0)]
    samples = [_sample(at_s, took_s=0.1) for at_s in (0.5, 3.0, 4.0)]
    samples += [_sample(10.0 + n / 4, took_s=0.4) for n in range(30)]
    samples += [_sample(11.0, took_s=9.0, kind="slow"), _sample(12.5, took_s=None)]
    round_ = (parts_of(legs, samples, [], 0.0), samples)

    first, second = pooled([round_, round_], warm_up_s=2.0)

    assert first["latency"] == {"n": 4, "p50": None, "p90": None, "p95": None, "p99": None}
    assert first["offered_per_s"] == pytest.approx(2 / 8)
    assert second["latency"]["n"] == 62, "the one that never settled ranks with what it had waited"
    assert second["latency"]["p50"] == pytest.approx(0.4, rel=0.01)
    assert second["latency"]["p95"] is None
    assert second["offered_per_s"] == pytest.approx(3.2)
    assert second["memory_bytes"] is None


def test_a_load_without_parts_has_none() -> None:
    assert pooled([], 1.0) == []
    assert pooled([([], [_sample(1.0)])], 1.0) == []
