"""What is read from the arrivals and ends of a stream that a fault interrupts."""

from __future__ import annotations

import pytest

from bakeoff_bench.ordeals.dip import WINDOW_S, Dip, dip_of


def _stream(*, down_s: float, per_s: float = 10.0, back_per_s: float = 20.0) -> Dip:
    """Ten seconds of sagas that take 50 ms; at second 5 nobody works for a while, then twice as fast."""
    arrived = {f"saga-{number}": number / per_s for number in range(100)}
    ended, free_s = {}, 0.0
    for name, at_s in arrived.items():
        starts_s = max(at_s, free_s)
        if 5.0 <= starts_s < 5.0 + down_s:
            starts_s = 5.0 + down_s
        free_s = starts_s + (1 / back_per_s if starts_s > 5.0 else 0.05)
        ended[name] = free_s
    return dip_of(arrived, ended, 5.0 - 0.01)


def test_a_stream_that_nothing_interrupts_has_no_dip() -> None:
    dip = _stream(down_s=0.0)

    assert dip.before_per_s == pytest.approx(10, rel=0.05)
    assert dip.lowest_share >= 0.9
    assert dip.lowest_share_before >= 0.9
    assert dip.silent_s < 0.2
    assert (dip.open_before, dip.open_after, dip.drained_s) == (1, 1, 0.0)


def test_silence_backlog_and_drain_of_an_interruption() -> None:
    dip = _stream(down_s=2.0)

    assert dip.silent_s == pytest.approx(2.0, abs=0.1)
    assert dip.lowest_share == pytest.approx(0, abs=0.1)
    assert dip.open_after == pytest.approx(20, abs=1)
    assert dip.drained_s == pytest.approx(4.0, abs=0.2), "as long again, at twice the speed"


def test_what_never_ends_is_not_drained() -> None:
    arrived = {f"saga-{number}": number / 10 for number in range(100)}
    ended = {name: at_s + 0.05 for name, at_s in arrived.items() if at_s < 5}
    dip = dip_of(arrived, ended, 5.0)

    assert dip.drained_s is None
    assert dip.silent_s == pytest.approx(4.9)
    assert dip.lowest_share == 0
    assert WINDOW_S < 4.9


@pytest.mark.parametrize("fault_s", [-1.0, 11.0])
def test_a_fault_beside_the_stream_says_nothing(fault_s: float) -> None:
    with pytest.raises(ValueError, match="within the arrivals"):
        dip_of({"a": 0.0, "b": 10.0}, {}, fault_s)
