"""How fast this machine is just now: the same piece of work, timed before and after every load.

A cloud may give its guest half a CPU for minutes and call it a whole one, and a laptop slows down when it is
warm. No system tells, all CPU seconds become longer with it, and what is measured then is the machine.
"""

from __future__ import annotations

import asyncio
import json
import math
import statistics
import time
from collections.abc import Callable
from typing import Any

from bakeoff.processes import Split, pinned

#: Below this share of its usual speed nothing is measured that is to be published.
SLOW = 0.75
#: Pieces of work of one look on one CPU, of which the median counts, and turns of the work in each: ten to
#: thirty milliseconds, longer than what a container's quota or a scheduler takes away at a time.
_PIECES, _TURNS = 3, 400
#: A slow look is taken again, so often and after so many seconds: a moment that somebody else took is none of
#: the minutes that this is about.
_SURE, _PAUSE_S = 3, 0.3
_DOCUMENT = {"order": "O-1", "lines": [{"sku": f"P{n}", "units": n, "pence": 100 * n} for n in range(20)]}
#: Seconds that one load, and a whole run, waits at most for the machine to come back; and between two looks.
_EACH_S, _ALL_S, _AGAIN_S = 60.0, 600.0, 5.0


class MachineSpeed:
    """Holds the machine against itself.

    Attributes:
        share: Of its usual speed, at the last look; 1 before the first one. Usual is the median of all
            looks so far: a laptop that has become warm is at its usual speed after a while.
    """

    def __init__(self, cpus: Split | None) -> None:
        each = sorted(cpus.deployment | cpus.generator) if cpus is not None else ()
        self._cpus: list[set[int] | None] = [{cpu} for cpu in each] or [None]
        self._took_s: list[float] = []
        self._waited_s = 0.0
        self.share = 1.0

    def look(self) -> float:
        """Time the work on each CPU; the slowest counts, since the load needs all of them."""
        took_s = math.inf
        for turn in range(_SURE):
            if turn:
                time.sleep(_PAUSE_S)
            took_s = min(took_s, max(self._time_on(cpu) for cpu in self._cpus))
            if not self._took_s or statistics.median(self._took_s) / took_s >= SLOW:
                break
        self._took_s.append(took_s)
        self.share = statistics.median(self._took_s) / took_s
        return self.share

    async def come_back(self, tell: Callable[[str], object]) -> None:
        """Wait while the machine is slow; not for ever, since it may stay so."""
        waited_s = 0.0
        while self.share < SLOW and waited_s < _EACH_S and self._waited_s < _ALL_S:
            tell(f"waiting: this machine runs at {self.share:.0%} of its usual speed")
            await asyncio.sleep(_AGAIN_S)
            waited_s += _AGAIN_S
            self._waited_s += _AGAIN_S
            await asyncio.to_thread(self.look)

    def to_json(self) -> dict[str, Any]:
        """``lowest`` and ``highest`` share of the usual speed, of so many ``looks``; seconds ``waited_s``."""
        usual_s = statistics.median(self._took_s) if self._took_s else 0.0
        shares = [usual_s / one for one in self._took_s] or [1.0]
        return {
            "lowest": min(shares),
            "highest": max(shares),
            "looks": len(self._took_s),
            "waited_s": self._waited_s,
        }

    @staticmethod
    def _time_on(cpu: set[int] | None) -> float:
        """Seconds of one piece of work on this CPU."""
        with pinned(cpu):
            return statistics.median(_piece_s() for _ in range(_PIECES))


def _piece_s() -> float:
    began_s = time.perf_counter()
    for _ in range(_TURNS):
        json.loads(json.dumps(_DOCUMENT))
    return time.perf_counter() - began_s


def slow(share: float) -> list[str]:
    """Why the numbers are the machine's; empty if they are not."""
    return [f"this machine ran at {share:.0%} of its usual speed"] if share < SLOW else []
