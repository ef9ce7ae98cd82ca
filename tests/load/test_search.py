"""The search for the sustainable rate, against engines whose rate is known."""

from __future__ import annotations

import asyncio

import pytest

from bakeoff_bench.load.measured import Measured
from bakeoff_bench.load.search import Sustained, search
from tests.load.measuring import measured


def _engine(
    capacity: float, *, p95_s: float = 0.2, generator: float = 1e9, calls: list[float] | None = None
) -> Sustained:
    async def probe(rate: float) -> Measured:
        if calls is not None:
            calls.append(rate)
        late = ["starts were up to 200 ms late"] if rate > generator else []
        return measured(
            offered_per_s=rate,
            settled_per_s=min(rate, capacity),
            kept_up=rate <= capacity,
            p95_s=p95_s,
            void=late,
        )

    return asyncio.run(search(probe, 40.0, 1.0))


@pytest.mark.parametrize("capacity", [5.0, 17.0, 39.9, 40.0, 41.0, 90.0, 250.0])
def test_it_is_found_within_the_bracket(capacity: float) -> None:
    calls: list[float] = []
    found = _engine(capacity, calls=calls)

    assert found.rate_per_s is not None
    assert found.rate_per_s <= capacity
    assert found.rate_per_s == max(rate for rate in calls if rate <= capacity)
    if found.failed_per_s is not None:
        assert found.failed_per_s > capacity
    assert 0.85 * capacity <= found.rate_per_s
    assert len(calls) <= 12
    assert found.bound == "engine"


def test_a_slow_engine_sustains_nothing_and_the_closest_is_told() -> None:
    found = _engine(100.0, p95_s=3.0)

    assert found.rate_per_s is None
    assert found.closest.startswith("95th percentile of 3.00 s at ")
    assert "above the 1 s of --slo" in found.why


def test_the_end_of_the_generator_is_not_the_engines() -> None:
    found = _engine(1000.0, generator=60.0)

    assert found.bound == "generator"
    assert found.rate_per_s is not None
    assert found.rate_per_s <= 60


def test_one_late_moment_of_the_generator_ends_nothing() -> None:
    """What a void load says is about the machine, so the load is made again."""
    calls: list[float] = []

    async def probe(rate: float) -> Measured:
        calls.append(rate)
        late = ["starts were up to 89 ms late"] if len(calls) == 1 else []
        return measured(offered_per_s=rate, settled_per_s=rate, kept_up=rate <= 100.0, void=late)

    found = asyncio.run(search(probe, 40.0, 1.0))

    assert calls[:2] == [40.0, 40.0]
    assert found.bound == "engine"
    assert found.rate_per_s is not None
    assert 90 < found.rate_per_s <= 100


def test_a_backlog_is_the_engines_even_if_it_made_the_generator_late() -> None:
    """Everything was accepted that was due, and a thousand open sagas are no fault of who started them."""
    calls: list[float] = []

    async def probe(rate: float) -> Measured:
        calls.append(rate)
        behind = rate > 30.0
        late = ["its event loop lagged 80 ms"] if behind else []
        return measured(offered_per_s=rate, settled_per_s=min(rate, 30.0), kept_up=not behind, void=late)

    found = asyncio.run(search(probe, 40.0, 1.0))

    assert found.bound == "engine"
    assert "the backlog grew" in found.why
    assert len(calls) == len(set(calls)), "a clear answer is not asked for twice"


def test_what_an_earlier_load_left_open_is_no_backlog_of_this_one() -> None:
    async def probe(rate: float) -> Measured:
        return measured(kept_up=False, left_open=7, void=["7 sagas of an earlier load were still open"])

    found = asyncio.run(search(probe, 40.0, 1.0))

    assert found.rate_per_s is None
    assert found.bound == "generator"
    assert "7 sagas of an earlier load" in found.closest


def test_a_rate_above_which_nothing_failed_is_the_least_that_it_can_be() -> None:
    found = _engine(1e9)

    assert found.failed_per_s is None
    assert found.rate_per_s is not None
    assert found.rate_per_s > 400


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"censored": 2}, "2 sagas had not settled"),
        ({"validity": "invalid", "reasons": ["I5: twice"]}, "the ledger is invalid: I5: twice"),
        ({"p95_s": None}, "too few sagas completed"),
        ({"settled_per_s": 20.0}, "20.0 of 40.0 per second were done"),
    ],
)
def test_what_is_not_sustained_says_why(change: dict[str, object], why: str) -> None:
    async def probe(rate: float) -> Measured:
        return measured(**{"offered_per_s": 40.0, "settled_per_s": 40.0, **change})  # type: ignore[arg-type]

    found = asyncio.run(search(probe, 40.0, 1.0))

    assert found.rate_per_s is None
    assert why in found.why
    assert found.closest
