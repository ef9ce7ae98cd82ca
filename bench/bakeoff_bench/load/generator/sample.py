"""What is known of one saga under load, from outside."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO


@dataclass(slots=True, kw_only=True)
class Sample:
    """Moments are seconds after the load's beginning, by the generator's monotonic clock.

    Attributes:
        workflow_id, kind: Which saga, and of which distribution.
        status: The outcome that was planned, and reached if ``settled_s`` is there.
        intended_s: When it was to be started; in a closed loop, when it was.
        due_s: From when its latency counts: the intended start, or the approval that it was parked for.
        sent_s: When the client was called.
        accepted_s: When the engine had accepted the start.
        settled_s: When the ledger held the last record of its plan; ``None``: not while it was waited for.
        told_s: When the engine's own API told the outcome.
        shed: Whether it was never sent, because too many were in flight.
        error: ``"Type: message"`` of what the client raised.
    """

    workflow_id: str
    kind: str
    status: str
    intended_s: float
    due_s: float
    sent_s: float | None = None
    accepted_s: float | None = None
    settled_s: float | None = None
    told_s: float | None = None
    shed: bool = False
    error: str = ""


class SampleFile:
    """JSON Lines, one per saga that is over; what was written survives the writer."""

    def __init__(self, path: Path) -> None:
        self._file: TextIO = path.open("x", encoding="utf-8", buffering=1)

    def add(self, sample: Sample) -> None:
        """Append one."""
        self._file.write(json.dumps(asdict(sample), separators=(",", ":")) + "\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_samples(path: Path) -> Iterator[Sample]:
    """What was written; a torn last line is left out."""
    if not path.exists():
        return
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.endswith("\n"):
                yield Sample(**json.loads(line))
