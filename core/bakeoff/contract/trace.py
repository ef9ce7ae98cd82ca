"""A saga's part of the ledger, in the words in which tests speak."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bakeoff.saga import JSON, Direction
from bakeoff.world import Record


@dataclass(frozen=True, slots=True)
class Trace:
    """What the services saw of one saga; a snapshot."""

    records: Sequence[Record]

    def story(self) -> list[str]:
        """What took effect, in order: ``step``, ``undo step``, or ``undo step (nothing)``.

        The last one is a compensation that found no effect to undo.
        """
        return [_word(record) for record in self.records if record.kind in ("effect", "nothing")]

    def attempts(self, step: str, direction: Direction = "action") -> list[Record]:
        """The attempts of one call, in order."""
        return [r for r in self.records if r.kind == "attempt" and r.call == (step, direction)]

    def attempt_counts(self) -> dict[str, int]:
        """``{"step" or "undo step": number of attempts}`` of every call that was attempted."""
        return dict(Counter(_word(r) for r in self.records if r.kind == "attempt"))

    def effect(self, step: str, direction: Direction = "action") -> Record:
        """The one effect of a call; an assertion fails if it had none."""
        found = [r for r in self.records if r.kind in ("effect", "nothing") and r.call == (step, direction)]
        assert len(found) == 1, f"{step} ({direction}) took effect {len(found)} times"
        return found[0]

    def result(self, step: str, direction: Direction = "action") -> JSON:
        """What the one effect of a call returned."""
        return self.effect(step, direction).result

    def __str__(self) -> str:
        if not self.records:
            return "(nothing)"
        start = self.records[0].at
        return "\n".join(
            f"{record.at - start:8.3f} s  {record.kind:9} {_word(record)}"
            + (f", attempt {record.ordinal} (engine: {record.attempt})" if record.kind == "attempt" else "")
            + (" repeat" if record.repeat else "")
            for record in self.records
        )


def _word(record: Record) -> str:
    if record.direction == "action":
        return record.step
    return f"undo {record.step}" + (" (nothing)" if record.kind == "nothing" else "")
