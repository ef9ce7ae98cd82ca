"""How long a comparison takes: a guess before it begins, then by the rounds that were made."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from bakeoff_bench.overhead.turn import IN_PROCESS_TIMES, SAGAS, WARM_UP
from bakeoff_bench.run.countdown import time_left

#: Rough seconds of a round beside its loops, of a saga in a loop, and of a contestant beside its rounds, by
#: ``in_process``. Ten rounds of 300 sagas on two cores took 36 minutes (docs/results/overhead.json): a saga
#: by the rates that were measured there, the rest shared out. It is a mean over engines, and the slowest
#: needs three times as much, so rounds that were made tell better.
_ROUND_S, _SAGA_S, _ONCE_S = {True: 6.0, False: 12.0}, {True: 0.0018, False: 0.016}, 15.0
_SIDES = 2


def rough_seconds(in_process: bool, rounds: int, sagas: int) -> float:
    """Of one contestant, before anything is known of it; ``sagas`` as ``turn.take_round`` takes them."""
    each = WARM_UP + sagas * (IN_PROCESS_TIMES if in_process else 1)
    loops = _SIDES * len(SAGAS) * each
    return _ONCE_S + rounds * (_ROUND_S[in_process] + loops * _SAGA_S[in_process])


def teller(
    label: str, rounds: int, expected_s: Sequence[float], tell: Callable[[str], None]
) -> Callable[[int], None]:
    """Return what is called before each round with the number of those made.

    Args:
        label: Of the contestant, which begins now.
        rounds: That it makes.
        expected_s: Seconds of it and of each one behind it.
        tell: Takes a line.
    """
    own_s, behind_s, began_s = expected_s[0], sum(expected_s[1:]), time.monotonic()

    def told(made: int) -> None:
        gone_s = time.monotonic() - began_s
        own_left_s = gone_s / made * (rounds - made) if made else own_s - gone_s
        tell(f"{label}, {time_left(own_left_s + behind_s)}: round {made + 1} of {rounds}")

    return told
