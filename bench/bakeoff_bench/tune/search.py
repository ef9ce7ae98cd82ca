"""One engine's search: climb, confirm, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bakeoff.tuned import as_text
from bakeoff_bench.significance import Finding
from bakeoff_bench.tune.climb import Stage, climb
from bakeoff_bench.tune.knobs import Changes, Knob
from bakeoff_bench.tune.trials import Trials


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """What a search came to.

    Attributes:
        stages: Every knob that was tried.
        found: What did best, as it differs from class ``recommended``.
        confirmation: Of that in rounds of its own; ``None`` if there was nothing to confirm, or too few
            rounds count.
        valid: Whether every ledger was.
    """

    stages: Sequence[Stage]
    found: Changes
    confirmation: Mapping[str, Any] | None
    valid: bool

    @property
    def played(self) -> bool:
        """Whether anything was."""
        return any(one.played for stage in self.stages for one in stage.tried)

    @property
    def decided(self) -> bool:
        """Whether it is known what is faster: rounds of some candidate count, and those that confirm it."""
        compared = [one.against(stage.tried[0]) for stage in self.stages for one in stage.tried[1:]]
        told = not self.played or any(ratio is not None for ratio in compared)
        return told and (not self.found or self.confirmation is not None)

    @property
    def kept(self) -> Changes:
        """What is faster beyond doubt and broke nothing; nothing if class ``recommended`` is as good."""
        told = self.confirmation
        holds = told is not None and told["finding"] == Finding.DIFFERENT and told["ratio"] > 1
        return self.found if holds and told is not None and not told["broken"] else {}

    @property
    def word(self) -> str:
        """All that in a sentence."""
        words = ", ".join(f"{name}={text}" for name, text in self.found.items())
        if not self.decided:
            return "too few rounds count to tell anything; what the file said before is left as it is"
        if self.confirmation is None:
            tried = "was faster" if self.played else "else keeps every promise, so nothing was tried"
            return f"nothing {tried}; recommended is kept"
        if self.confirmation["broken"]:
            return f"{words} broke an invariant ({self.confirmation['broken']}); recommended is kept"
        return f"{words}: {self.confirmation['word']}" + ("" if self.kept else "; recommended is kept")

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            "stages": [stage.to_json() for stage in self.stages],
            "found": dict(self.found),
            "confirmation": self.confirmation,
            "changes": dict(self.kept),
            "decided": self.decided,
            "valid": self.valid,
            "word": self.word,
        }


async def search(
    trials: Trials, knobs: Sequence[Knob], start: Changes, confirm: int, worth: float
) -> Searched:
    """Try every knob, then what did best against class ``recommended``.

    Args:
        trials: Plays the loads.
        knobs: What is tried.
        start: What an earlier search found.
        confirm: Rounds of the last comparison.
        worth: By how much a value must be faster to be kept on the way.
    """
    declared = trials.given.contestant({}).engine.info().settings
    recommended = {one.name: as_text(one.recommended) for one in declared}
    stages = await climb(knobs, start, recommended, trials.play, worth)
    taken = [stage.taken.changes for stage in stages if stage.taken is not None]
    found = taken[-1] if taken else start
    return Searched(
        stages=stages,
        found=found,
        confirmation=await trials.confirm(found, confirm) if found else None,
        valid=trials.valid,
    )
