"""How fast this machine is just now: the same piece of work, timed before and after every load.

A cloud may give its guest half a CPU for minutes and call it a whole one, or a whole one where half is
usual; a laptop slows down when it is warm. No system tells, all CPU seconds become longer or shorter with it,
and what is measured then is the machine.
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

#: Below this share of its usual speed nothing is measured that is to be published, and as far above it.
SLOW = 0.75
FAST = 1 / SLOW
#: Looks before the first load, and seconds between them: there must be something to hold it against.
_FIRST, _APART_S = 9, 1.0
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
            looks so far, but not of those while it was waited for and came back: a laptop that has become
            warm is at its usual speed after a while.
    """

    def __init__(self, cpus: Split | None) -> None:
        each = sorted(cpus.deployment | cpus.generator) if cpus is not None else ()
        self._cpus: list[set[int] | None] = [{cpu} for cpu in each] or [None]
        self._took_s: list[float] = []
        self._waited_s = 0.0
        self.share = 1.0

    async def get_to_know(self) -> None:
        """Look a few times before anything is measured."""
        for _ in range(_FIRST):
            await asyncio.to_thread(self.look)
            await asyncio.sleep(_APART_S)

    def look(self) -> float:
        """Time the work on each CPU; the slowest counts, since the load needs all of them."""
        took_s = self._take()
        self._took_s.append(took_s)
        self.share = statistics.median(self._took_s) / took_s
        return self.share

    def _take(self) -> float:
        took_s = math.inf
        for turn in range(_SURE):
            if turn:
                time.sleep(_PAUSE_S)
            took_s = min(took_s, max(self._time_on(cpu) for cpu in self._cpus))
            if not self._took_s or statistics.median(self._took_s) / took_s >= SLOW:
                break
        return took_s

    async def come_back(self, tell: Callable[[str], object]) -> None:
        """Wait while the machine is slower or faster than usual; not for ever, since it may stay so."""
        waited_s, meanwhile = 0.0, list[float]()
        while unusual(self.share) and waited_s < _EACH_S and self._waited_s < _ALL_S:
            tell(f"waiting: this machine runs at {self.share:.0%} of its usual speed")
            await asyncio.sleep(_AGAIN_S)
            waited_s += _AGAIN_S
            self._waited_s += _AGAIN_S
            meanwhile.append(await asyncio.to_thread(self._take))
            self.share = statistics.median(self._took_s) / meanwhile[-1]
        if unusual(self.share):  # it stays so, and should be usual before half of the run is void
            self._took_s += meanwhile

    def to_json(self) -> dict[str, Any]:
        """``lowest`` and ``highest`` share of the usual speed, of so many ``looks``; seconds ``waited_s``.

        ``usual_s``: seconds of a look at that speed, by which the machines of two runs can be compared.
        """
        usual_s = statistics.median(self._took_s) if self._took_s else 0.0
        shares = [usual_s / one for one in self._took_s] or [1.0]
        return {
            "lowest": min(shares),
            "highest": max(shares),
            "looks": len(self._took_s),
            "waited_s": self._waited_s,
            "usual_s": usual_s,
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


def unusual(share: float) -> list[str]:
    """Why the numbers are the machine's; empty if they are not."""
    return [] if SLOW <= share <= FAST else [f"this machine ran at {share:.0%} of its usual speed"]


def nearer_to_usual(before: float, after: float) -> float:
    """The speed of a load: slow at both ends it was slow in between, at one of them perhaps for seconds."""
    return min(before, after, key=lambda share: abs(math.log(share)))
