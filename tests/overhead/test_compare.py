"""Three words about a target, and a loop that does what it says."""

from __future__ import annotations

import asyncio

import pytest

from bakeoff_bench.native.drive import closed_loop
from bakeoff_bench.overhead.compare import CPU, THROUGHPUT, Target, Word, compare, judge
from bakeoff_bench.overhead.differences import differing
from bakeoff_bench.speed.rates import Ratio


@pytest.mark.parametrize(
    ("target", "mean", "low", "high", "word"),
    [
        (CPU, 1.00, 0.96, 1.05, Word.MET),
        (CPU, 1.00, 0.90, 1.06, Word.UNKNOWN),
        (CPU, 1.10, 1.05, 1.20, Word.UNKNOWN),
        (CPU, 1.10, 1.06, 1.20, Word.MISSED),
        (THROUGHPUT, 0.97, 0.90, 1.04, Word.MET),
        (THROUGHPUT, 0.99, 0.89, 1.10, Word.UNKNOWN),
        (THROUGHPUT, 0.96, 0.93, 0.98, Word.UNKNOWN),
        (THROUGHPUT, 0.94, 0.92, 0.96, Word.MISSED),
    ],
)
def test_target_is_met_missed_or_cannot_be_told(
    target: Target, mean: float, low: float, high: float, word: Word
) -> None:
    found = Ratio(mean=mean, low=low, high=high, adapter_per_s=1, native_per_s=1)

    assert judge(found, target) is word


def test_one_round_tells_nothing() -> None:
    """However good it looks."""
    assert judge(compare([(1.0, 1.0)]), CPU) is Word.UNKNOWN
    assert judge(compare([(1.0, 1.0)]), THROUGHPUT) is Word.UNKNOWN


def test_rounds_are_compared_in_pairs() -> None:
    """A machine that got twice as slow for both sides changes nothing."""
    found = compare([(10.0, 10.0), (20.0, 20.0), (40.0, 40.0)])

    assert (found.low, found.mean, found.high) == pytest.approx((1.0, 1.0, 1.0))


def test_only_what_differs_is_shown_and_no_secret() -> None:
    ours = {"same": "1", "more": "2", "conf.broker_password": "hunter2", "url": "redis://a:pw@host/0"}
    theirs = {"same": "1", "less": "3", "conf.broker_password": "", "url": "redis://host/0"}

    found = differing(ours, theirs)

    assert [name for name, _, _ in found] == ["conf.broker_password", "less", "more", "url"]
    assert ("less", "-", "3") in found
    assert ("more", "2", "-") in found
    assert "hunter2" not in str(found)
    assert "pw" not in str(found)


async def _count_in_flight(ids: list[str], in_flight: int) -> tuple[int, list[str], int]:
    now, most, seen = 0, 0, []

    async def run(saga_id: str) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0)
        seen.append(saga_id)
        now -= 1

    _, latencies_s = await closed_loop(run, ids, in_flight)
    return most, seen, len(latencies_s)


def test_closed_loop_keeps_so_many_in_flight_and_runs_each_once() -> None:
    ids = [str(number) for number in range(20)]

    most, seen, timed = asyncio.run(_count_in_flight(ids, 3))

    assert most == 3
    assert sorted(seen) == sorted(ids)
    assert timed == len(ids)


def test_saga_that_fails_ends_the_loop() -> None:
    async def run(saga_id: str) -> None:
        raise RuntimeError(saga_id)

    with pytest.raises(ExceptionGroup, match="unhandled"):
        asyncio.run(closed_loop(run, ["a", "b"], 2))
