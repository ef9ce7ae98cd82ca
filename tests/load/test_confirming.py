"""Whether a rate holds that one search came to, against engines that are known."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from bakeoff_bench.load.confirming import confirm
from bakeoff_bench.load.measured import Measured
from bakeoff_bench.load.search import Sustained
from tests.load.measuring import measured

Engine = Callable[[float, int], Measured]


def _confirmed(engines: dict[str, Engine], **rates: float | None) -> tuple[dict[str, Sustained], list[str]]:
    found = {label: Sustained(rate_per_s=rate, searched_per_s=rate) for label, rate in rates.items()}
    played: list[str] = []

    async def play(label: str, rate: float, number: int) -> Measured:
        played.append(label)
        return engines[label](rate, number)

    def turns(number: int) -> list[str]:
        names = sorted(engines)
        return names[number % len(names) :] + names[: number % len(names)]

    asyncio.run(confirm(play, turns, found, 1.0))
    return found, played


def _carries(capacity: float) -> Engine:
    return lambda rate, _: measured(offered_per_s=rate, settled_per_s=rate, kept_up=rate <= capacity)


def test_a_rate_that_holds_is_kept_and_contestants_take_turns() -> None:
    found, played = _confirmed({"a": _carries(50), "b": _carries(50)}, a=50.0, b=40.0)

    assert (found["a"].rate_per_s, found["a"].confirmed, found["a"].of) == (50.0, 3, 3)
    assert found["b"].rate_per_s == 40.0
    assert played == ["a", "b", "b", "a", "a", "b"]


def test_a_rate_that_had_a_good_minute_is_lowered_until_it_holds() -> None:
    found, _ = _confirmed({"a": _carries(42)}, a=50.0)

    assert found["a"].rate_per_s == pytest.approx(0.9 * 0.85 * 50.0)
    assert found["a"].failed_per_s == pytest.approx(45.0)
    assert (found["a"].confirmed, found["a"].searched_per_s) == (3, 50.0)
    assert "the backlog grew" in found["a"].why


def test_a_search_on_a_machine_at_its_best_is_not_the_end() -> None:
    """Who carries 0.6 of what the search came to does not sustain nothing."""
    found, _ = _confirmed({"a": _carries(30)}, a=50.0)

    assert found["a"].rate_per_s == pytest.approx(0.9 * 0.85 * 0.7 * 50.0)
    assert (found["a"].confirmed, found["a"].of) == (3, 3)


def test_one_bad_minute_of_three_is_forgiven() -> None:
    found, _ = _confirmed(
        {"a": lambda rate, n: measured(offered_per_s=rate, settled_per_s=rate, kept_up=n != 1)}, a=50.0
    )

    assert (found["a"].rate_per_s, found["a"].confirmed, found["a"].of) == (50.0, 2, 3)


def test_what_never_holds_is_nothing_and_the_closest_is_told() -> None:
    found, _ = _confirmed({"a": lambda rate, _: measured(p95_s=3.0)}, a=50.0)

    assert found["a"].rate_per_s is None
    assert found["a"].closest.startswith("95th percentile of 3.00 s at ")


def test_void_loads_confirm_nothing_and_refute_nothing() -> None:
    found, played = _confirmed({"a": lambda rate, _: measured(void=["the generator was late"])}, a=50.0)

    assert (found["a"].rate_per_s, found["a"].confirmed, found["a"].of) == (50.0, 0, 0)
    assert len(played) == 9, "each of three is made again, twice"


def test_a_void_load_is_made_again() -> None:
    voids = iter([["others used the machine"], [], [], []])
    found, played = _confirmed(
        {"a": lambda rate, _: measured(offered_per_s=rate, settled_per_s=rate, void=next(voids))}, a=50.0
    )

    assert (found["a"].confirmed, found["a"].of) == (3, 3)
    assert len(played) == 4


def test_who_sustained_nothing_has_nothing_to_confirm() -> None:
    found, played = _confirmed({"a": _carries(1), "b": _carries(50)}, a=None, b=50.0)

    assert found["a"].rate_per_s is None
    assert set(played) == {"b"}
