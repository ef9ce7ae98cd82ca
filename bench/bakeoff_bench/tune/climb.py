"""One knob after the other: the value that did best is kept, and the next knob is tried with it."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bakeoff_bench.tune.knobs import Changes, Knob


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One candidate of a stage.

    Attributes:
        changes: What it differs in from class ``recommended``.
        rates: ``{round: sagas per second}`` of the rounds that count.
        problem: Why it was not played, does not count, or could not be kept however fast it is.
        played: Whether it was.
    """

    changes: Changes
    rates: Mapping[int, float]
    problem: str = ""
    played: bool = True

    def against(self, other: Tried) -> float | None:
        """Geometric mean of the ratios of the rounds that count for both; ``None`` without any."""
        common = sorted(set(self.rates) & set(other.rates))
        if not common:
            return None
        return math.exp(math.fsum(math.log(self.rates[n] / other.rates[n]) for n in common) / len(common))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One knob that was tried.

    Attributes:
        knob: Its name.
        tried: What was kept so far first, then the candidates.
        taken: The candidate that is kept from here on, ``None`` if none did better.
    """

    knob: str
    tried: Sequence[Tried]
    taken: Tried | None

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        first = self.tried[0]
        return {
            "knob": self.knob,
            "tried": [
                {
                    "changes": dict(one.changes),
                    "rates_per_s": list(one.rates.values()),
                    "ratio": one.against(first),
                    "problem": one.problem,
                }
                for one in self.tried
            ],
            "taken": None if self.taken is None else dict(self.taken.changes),
        }


#: Plays candidates against each other in interleaved rounds; the name is that of the stage.
Trial = Callable[[str, Sequence[Changes]], Awaitable[Sequence[Tried]]]


async def climb(
    knobs: Sequence[Knob], start: Changes, recommended: Changes, trial: Trial, worth: float
) -> list[Stage]:
    """Try every knob once.

    Two knobs that only help together are not found this way; the price of finding them is the product of
    all values instead of their sum.

    Args:
        knobs: In the order in which they are tried.
        start: Where to begin.
        recommended: ``{knob: text}`` of class ``recommended``: a value that is no change.
        trial: Plays candidates.
        worth: By how much a candidate must be faster to be kept, a share.

    Returns:
        The stages; a knob of which there was nothing else to try has none.
    """
    best = dict(start)
    stages: list[Stage] = []
    for knob in knobs:
        now = best.get(knob.name, recommended[knob.name])
        others = [_changed(best, knob.name, text, recommended) for text in knob.texts if text != now]
        if not others:
            continue
        first, *rest = await trial(knob.name, [best, *others])
        ratios = [
            (ratio, one) for one in rest if (ratio := one.against(first)) is not None and not one.problem
        ]
        ratio, winner = max(ratios, key=lambda pair: pair[0], default=(0.0, first))
        taken = winner if ratio >= 1 + worth else None
        stages.append(Stage(knob=knob.name, tried=[first, *rest], taken=taken))
        if taken is not None:
            best = dict(taken.changes)
    return stages


def _changed(best: Changes, name: str, text: str, recommended: Changes) -> dict[str, str]:
    changes = {key: value for key, value in best.items() if key != name}
    return changes if text == recommended[name] else {**changes, name: text}
