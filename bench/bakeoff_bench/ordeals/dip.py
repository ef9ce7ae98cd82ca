"""What a fault does to a stream of sagas: the silence, the dip, the backlog and its drain."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

#: Width of the windows in which ends are counted, in seconds.
WINDOW_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Dip:
    """The stream after a fault, compared with the one before it.

    Attributes:
        before_per_s: Sagas that settled per second before the fault.
        lowest_share_before, lowest_share: What settled in the worst ``WINDOW_S`` seconds before and after it,
            as a share of what comes in within such a time; 0 is a standstill.
        silent_s: The longest time without a saga that settled, from the fault on, while sagas came in.
        open_before, open_after: Sagas that were open at the same time, at the most.
        drained_s: Seconds from the fault until no more are open than at the most before it, for good; 0 if
            there never were more, ``None`` if there still are.
    """

    before_per_s: float
    lowest_share_before: float
    lowest_share: float
    silent_s: float
    open_before: int
    open_after: int
    drained_s: float | None


def dip_of(arrived_s: Mapping[str, float], ended_s: Mapping[str, float], fault_s: float) -> Dip:
    """Compare the stream before and after a fault.

    Args:
        arrived_s: ``{workflow id: second of the intended start}``, on either side of the fault.
        ended_s: ``{workflow id: second at which it settled}``; whoever is missing is still open.
        fault_s: When it struck.

    Raises:
        ValueError: If nothing came before the fault or nothing after it.
    """
    came = sorted(arrived_s.values())
    ends = sorted(second for one, second in ended_s.items() if one in arrived_s)
    if not came or not came[0] < fault_s < came[-1]:
        raise ValueError("the fault must lie within the arrivals")
    began_s, last_s = came[0], came[-1]
    before_per_s = bisect_left(ends, fault_s) / (fault_s - began_s)
    came_per_s = len(came) / (last_s - began_s)
    # While orders still come in; afterwards it is quiet anyway.
    after = [fault_s, *(second for second in ends if fault_s < second <= last_s), last_s]
    usual = came_per_s * WINDOW_S
    moments = sorted([*((second, 1) for second in came), *((second, -1) for second in ends)])
    open_now = open_before = open_after = 0
    drained_s: float | None = 0.0
    for second, change in moments:
        open_now += change
        if second < fault_s:
            open_before = max(open_before, open_now)
            continue
        open_after = max(open_after, open_now)
        if open_now > open_before:
            drained_s = None
        elif drained_s is None:
            drained_s = second - fault_s
    return Dip(
        before_per_s=before_per_s,
        lowest_share_before=_fewest(ends, began_s, fault_s) / usual,
        lowest_share=_fewest(ends, fault_s, last_s) / usual,
        silent_s=max(later - earlier for earlier, later in pairwise(after)),
        open_before=open_before,
        open_after=open_after,
        drained_s=drained_s,
    )


def _fewest(ends: Sequence[float], from_s: float, until_s: float) -> int:
    """How many settled in the worst window between two moments; in all of it if it is shorter than one."""
    starts = [from_s, *(second for second in ends if from_s < second <= until_s - WINDOW_S)]
    return min(
        bisect_right(ends, min(start + WINDOW_S, until_s)) - bisect_right(ends, start) for start in starts
    )
