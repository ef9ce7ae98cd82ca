"""From samples to numbers: what counts, what is left out, and what a small number cannot show."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bakeoff_bench.load.folder import load_samples, store_samples
from bakeoff_bench.load.generator.guard import Effort
from bakeoff_bench.load.generator.sample import Sample, SampleFile, read_samples
from bakeoff_bench.load.histograms import Histograms
from bakeoff_bench.load.measured import measure, mostly_kept_up, stuck_in, summary
from tests.load.measuring import KEPT_UP


def _sample(number: int, at_s: float, took_s: float | None = 0.5, status: str = "completed") -> Sample:
    settled_s = None if took_s is None else at_s + took_s
    return Sample(
        workflow_id=f"order-{number}",
        kind="order",
        status=status,
        intended_s=at_s,
        due_s=at_s,
        sent_s=at_s,
        accepted_s=at_s + 0.01,
        settled_s=settled_s,
        told_s=settled_s,
    )


def _numbers(samples: list[Sample], effort: Effort = KEPT_UP, *, closed: bool = False) -> dict[str, object]:
    return measure(samples, effort=effort, arriving_s=10.0, warm_up_s=2.0, closed=closed)[0]


def test_warm_up_is_counted_and_left_out() -> None:
    slow_start = [_sample(number, number / 10, 9.0 if number < 20 else 0.5) for number in range(100)]
    numbers = _numbers(slow_start)

    assert (numbers["arrived"], numbers["warm_up"]) == (80, 20)
    assert numbers["offered_per_s"] == pytest.approx(10.0)
    assert numbers["latencies"]["order-completed-settled"]["p90"] == pytest.approx(0.5, rel=0.01)  # type: ignore[index]


def test_latency_counts_from_the_intended_start() -> None:
    """A client that was held up hides nothing: coordinated omission would show 0.1 s here."""
    late = [replace(_sample(n, n / 10, 2.1), sent_s=n / 10 + 2.0) for n in range(100)]

    assert _numbers(late)["latencies"]["order-completed-settled"]["p50"] == pytest.approx(2.1, rel=0.01)  # type: ignore[index]


def test_unsettled_sagas_are_censored_and_never_dropped() -> None:
    samples = [_sample(n, n / 10, None if n % 4 == 0 else 0.5) for n in range(100)]
    numbers = _numbers(samples)

    assert numbers["censored"] == 20
    assert numbers["arrived"] == 80
    latency = numbers["latencies"]["order-completed-settled"]  # type: ignore[index]
    assert latency["n"] == 80
    assert latency["p50"] == pytest.approx(0.5, rel=0.01)
    assert latency["p90"] > 2.0, "a quarter had waited for 2 s and more when patience ended, at 12 s"


def test_completed_and_compensated_are_apart() -> None:
    samples = [
        _sample(n, n / 10, 0.1 if n % 2 else 1.0, "completed" if n % 2 else "compensated") for n in range(100)
    ]
    latencies = _numbers(samples)["latencies"]

    assert latencies["order-completed-settled"]["p50"] == pytest.approx(0.1, rel=0.01)  # type: ignore[index]
    assert latencies["order-compensated-settled"]["p50"] == pytest.approx(1.0, rel=0.01)  # type: ignore[index]


@pytest.mark.parametrize(
    ("settles_per_s", "kept_up"), [(12.0, True), (10.0, True), (8.5, False), (4.0, False), (0.0001, False)]
)
def test_a_growing_backlog_is_seen(settles_per_s: float, kept_up: bool) -> None:
    """A server that does so many per second, in order."""
    samples = [replace(_sample(n, n / 10), settled_s=(n + 1) / settles_per_s + 0.1) for n in range(100)]

    assert _numbers(samples)["kept_up"] is kept_up
    assert _numbers(samples, closed=True)["kept_up"] is True


@pytest.mark.parametrize(
    ("kept", "of", "mostly"),
    [(1, 1, True), (0, 1, False), (1, 2, False), (2, 3, True), (6, 10, False), (7, 10, True), (10, 10, True)],
)
def test_a_load_is_kept_up_with_as_a_rate_is_confirmed(kept: int, of: int, mostly: bool) -> None:
    assert mostly_kept_up([number < kept for number in range(of)]) is mostly


@pytest.mark.parametrize(
    ("count", "shown"), [(4, set()), (5, {"p50"}), (99, {"p50", "p90"}), (1000, {"p50", "p90", "p95", "p99"})]
)
def test_a_percentile_needs_its_number_of_values(count: int, shown: set[str]) -> None:
    histograms = Histograms()
    for number in range(count):
        histograms.add(_sample(number, 0.0))
    found = summary(histograms, "order-completed-settled")

    assert found.pop("n") == count
    assert {name for name, value in found.items() if value is not None} == shown


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"sheds": 3}, "3 arrivals were shed"),
        ({"cpu_s": 8.5}, "needed 85% of a CPU"),
        ({"late_p99_s": 0.2}, "starts were up to 200 ms late"),
        ({"lag_p99_s": 0.3}, "event loop lagged 300 ms"),
    ],
)
def test_a_generator_that_was_the_bottleneck_voids(change: dict[str, float], word: str) -> None:
    assert KEPT_UP.void() == []
    assert word in replace(KEPT_UP, **change).void()[0]  # type: ignore[arg-type]


def test_an_engine_in_the_generator_may_be_late() -> None:
    inside = replace(KEPT_UP, in_process=True, cpu_s=9.9, late_p99_s=1.0)

    assert inside.void() == []
    assert replace(inside, sheds=1).void()


def test_histograms_of_several_processes_are_one(tmp_path: Path) -> None:
    samples = [_sample(n, 0.0, (n + 1) / 1000) for n in range(2000)]
    parts, whole = [Histograms() for _ in range(3)], Histograms()
    for number, one in enumerate(samples):
        parts[number % 3].add(one)
        whole.add(one)
    merged = Histograms()
    for part in parts:
        merged.merge(part.encoded())
    merged.store(tmp_path)
    read = Histograms.load(tmp_path)

    for name in whole:
        for share in (0.5, 0.95, 0.99):
            exact = sorted(one.settled_s or 0 for one in samples)[int(share * len(samples)) - 1]
            found = read.percentile_s(name, share)
            assert found == whole.percentile_s(name, share) == merged.percentile_s(name, share)
            if name.endswith("settled"):
                assert found == pytest.approx(exact, rel=0.002)
    assert list(read) == list(whole)


def test_samples_come_back_as_they_were(tmp_path: Path) -> None:
    samples = [_sample(0, 1.0), _sample(1, 1.5, None), replace(_sample(2, 2.0), shed=True, error="x: y")]
    store_samples(tmp_path, samples)

    assert load_samples(tmp_path) == samples


def test_a_torn_line_of_a_killed_generator_is_left_out(tmp_path: Path) -> None:
    file = SampleFile(tmp_path / "samples.jsonl")
    file.add(_sample(0, 1.0))
    file.close()
    with (tmp_path / "samples.jsonl").open("a") as opened:
        opened.write('{"workflow_id": "or')

    assert list(read_samples(tmp_path / "samples.jsonl")) == [_sample(0, 1.0)]


@pytest.mark.parametrize(
    ("until_s", "lease_s", "stuck"),
    [
        (60.0, 12.0, 2),  # everything else was over after 10 s; the lease ended, and nobody came
        (30.0, 12.0, 0),  # the lease may still bring them back
        (60.0, 60.0, 0),
        (60.0, 0.0, 2),
    ],
)
def test_left_behind_by_an_engine_that_has_nothing_else_to_do(
    until_s: float, lease_s: float, stuck: int
) -> None:
    samples = [_sample(n, at_s=n * 1.0) for n in range(9)] + [_sample(9, 3.0, None), _sample(10, 9.5, None)]

    assert stuck_in(samples, until_s, lease_s) == stuck


def test_left_by_an_engine_that_is_busy_to_the_end_is_nobodys_loss() -> None:
    samples = [_sample(n, at_s=n * 0.1, took_s=n * 0.6) for n in range(90)] + [_sample(90, 9.0, None)]

    assert stuck_in(samples, until_s=62.0, lease_s=2.0) == 0


def test_what_the_engine_never_accepted_is_not_its_loss() -> None:
    refused = replace(_sample(1, 3.0, None), accepted_s=None)

    assert stuck_in([_sample(0, 1.0), refused], until_s=60.0, lease_s=0.0) == 0
