"""What a load under Locust came to, as a person reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bakeoff.cli.screen import say, show_table
from bakeoff_bench.load.gathered import Gathered
from bakeoff_bench.load.measured import FLOORS
from bakeoff_bench.load.order import LoadOrder

_PERCENTILES = tuple(f"p{round(100 * share)}" for share in FLOORS)


def say_load(number: int, label: str, order: LoadOrder, parts: Sequence[Gathered]) -> None:
    """Which load it was, and how many sagas each generator sent."""
    sent = [sum(one.sent_s is not None for one in part.samples) for part in parts]
    each = f" by {len(sent)} generators ({', '.join(map(str, sent))})" if len(sent) > 1 else ""
    say(f"load {number}: {order.load} on {label}, {_rate(order)}: {sum(sent)} sagas{each}")


def say_numbers(numbers: Mapping[str, Any], warm_up_s: float) -> None:
    """Percentiles, rates, whether the backlog grew, and why they may say nothing about the engine.

    Args:
        numbers: As ``measure`` returns them.
        warm_up_s: Seconds that are left out of them.
    """
    kept_up, latencies = numbers["kept_up"], numbers["latencies"]
    rows = [
        [name, str(found["n"]), *(_seconds(found[p], kept_up) for p in _PERCENTILES)]
        for name, found in latencies.items()
    ]
    if rows:
        show_table(["seconds, by distribution", "n", *_PERCENTILES], rows)
    say(
        f"offered {numbers['offered_per_s']:.1f}/s, accepted {numbers['achieved_per_s']:.1f}/s, settled "
        f"{numbers['settled_per_s']:.1f}/s; {warm_up_s:g} s of warm-up left out; open at the end of "
        f"arrivals: {numbers['open_last']}; never settled: {numbers['censored']}"
    )
    if not kept_up:
        say(
            f"!: the backlog grew by {numbers['growth']:.0f} while sagas arrived, so these measure how long "
            "the load lasted, not the engine"
        )
    if any(None in found.values() for found in latencies.values()):
        least = ", ".join(f"{p} {floor}" for p, floor in zip(_PERCENTILES, FLOORS.values(), strict=True))
        say(f"too few: fewer values than a percentile needs ({least})")


def say_fault(about: Mapping[str, Any]) -> None:
    """What was done in the middle, and what it cost."""
    if why := about["missed"]:
        say(f"fault {about['fault']}: missed: {why}")
        return
    say(
        f"fault {about['fault']}: struck after {about['at_s']:.1f} s ({about['seen']}), {about['in_flight']} "
        f"in flight, {about['in_flight_lost']} of them lost; silence {about['silent_s']:.1f} s; settled of "
        f"what came {about['lowest_share_before']:.0%} -> {about['lowest_share']:.0%}; open at once "
        f"{about['open_before']} -> {about['open_after']}; drained {_after(about['drained_s'])}"
    )
    if about["hit_slowest_s"] is not None:
        say(
            f"all in flight over {_after(about['recovery_s'])}; they took {about['hit_p50_s']:.1f} s "
            f"(median) and {about['hit_slowest_s']:.1f} s (slowest)"
        )


def _after(seconds: float | None) -> str:
    return "not seen" if seconds is None else f"after {seconds:.1f} s"


def _rate(order: LoadOrder) -> str:
    if order.users:
        return f"closed loop, {order.users} in flight, {order.seconds:g} s"
    rate = order.shape or f"{order.rate:g}/s"
    return f"{rate}, {order.seconds:g} s, {order.process} arrivals"


def _seconds(value: float | None, kept_up: bool) -> str:
    """Under overload a percentile tells how long the load lasted, and nothing about the engine."""
    if value is None:
        return "too few"
    return f"{value:.3f}" + ("" if kept_up else " !")
