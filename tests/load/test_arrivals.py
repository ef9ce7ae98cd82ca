"""Moments of an open loop: fixed before it begins, at the rate that the shape asks for."""

from __future__ import annotations

import statistics
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bakeoff.errors import UnknownNameError, UsageError
from bakeoff_scenarios import LOADS, Leg, duration_s, find_load, moments

_RATES = st.floats(min_value=0.5, max_value=40)
_LEGS = st.lists(st.builds(Leg, st.floats(min_value=1, max_value=20), _RATES, _RATES), min_size=1, max_size=4)


@settings(deadline=None)
@given(_LEGS, st.sampled_from(["constant", "poisson"]), st.integers(0, 9))
def test_they_ascend_within_the_load_and_come_again(legs: list[Leg], process: str, seed: int) -> None:
    expected = sum(leg.arrivals for leg in legs)
    if expected < 30:
        return
    at_s = moments(legs, process, seed)  # type: ignore[arg-type]

    assert at_s == sorted(at_s)
    assert at_s[0] >= 0
    assert at_s[-1] <= duration_s(legs) * (1 + 1e-9)
    assert at_s == moments(legs, process, seed)  # type: ignore[arg-type]
    # Five standard deviations of a Poisson number; exactly as many where they are evenly spaced.
    assert abs(len(at_s) - expected) <= (1 if process == "constant" else 5 * expected**0.5)


@settings(deadline=None)
@given(_LEGS)
def test_every_leg_gets_its_part(legs: list[Leg]) -> None:
    """The rate of the moment is met on average wherever one looks."""
    if sum(leg.arrivals for leg in legs) < 1:
        return
    at_s = moments(legs, "constant")
    began_s = expected = 0.0
    for leg in legs:
        began_s += leg.seconds
        expected += leg.arrivals
        assert abs(sum(one <= began_s for one in at_s) - expected) <= 1


def test_independent_clients_come_in_bunches() -> None:
    """Pauses of a Poisson process are as spread as they are long; even ones are not spread at all."""
    legs = LOADS["order-steady"].shape(50, 60)
    for process, spread in (("poisson", 1.0), ("constant", 0.0)):
        at_s = moments(legs, process)  # type: ignore[arg-type]
        pauses = [later - earlier for earlier, later in pairwise(at_s)]

        assert statistics.stdev(pauses) / statistics.mean(pauses) == pytest.approx(spread, abs=0.06)


def test_a_load_in_which_nothing_arrives_is_refused() -> None:
    with pytest.raises(UsageError, match="starts no saga at all"):
        moments([Leg(1.0, 0.1, 0.1)], "constant")


@pytest.mark.parametrize("name", LOADS)
def test_every_shipped_load_arrives_at_about_its_rate(name: str) -> None:
    load = LOADS[name]

    assert load.description
    assert find_load(name) is load
    at_s = moments(load.shape(20, load.duration_s), "constant")
    assert 0.3 * 20 < len(at_s) / load.duration_s <= 20.001


def test_an_unknown_load_is_told_with_the_closest() -> None:
    with pytest.raises(UnknownNameError, match=r"'order-stedy'.*Did you mean 'order-steady'\?"):
        find_load("order-stedy")
