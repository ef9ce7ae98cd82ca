"""The record of one kill, as it is written down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bakeoff.checkers import Planned
from bakeoff_bench.crash.outcome import KillOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """The record of one kill.

    Attributes:
        outcome, detail: Of the saga that was struck; of one beside it, if harm came to that one only.
        workflow_ids: That saga, then those beside it.
        in_flight: Sagas in flight when the fault landed: those that stood at a point, and the one struck.
        ended: Processes that were seen to end of it.
        seen: What else was seen of the fault, in words.
        struck_pid: Process that stood at the point, or acted last for the saga where nobody stands.
        landed_at: Unix seconds of the fault; for people and for logs.
        extra_attempts: ``{call: attempts beyond the plan}`` of the saga that was struck.
        detection_s: From the fault to the next attempt of the call that was struck; ``None`` if none came.
        first_progress_s: To the next effect of the saga that was struck.
        recovery_s: To the end of every saga that was in flight; ``None``: not by the deadline (censored).
        planned: What the sagas had to come to; with ``last_seq`` enough to judge them again.
        last_seq: Of the ledger when they were judged.
        open: The message that was struck had not come again when it was judged, and by its lease may yet.
    """

    outcome: KillOutcome
    detail: str
    workflow_ids: tuple[str, ...]
    in_flight: int = 0
    ended: tuple[int, ...] = ()
    seen: str = ""
    struck_pid: int | None = None
    landed_at: float | None = None
    extra_attempts: Mapping[str, int] = field(default_factory=dict)
    detection_s: float | None = None
    first_progress_s: float | None = None
    recovery_s: float | None = None
    planned: tuple[Planned, ...] = ()
    last_seq: int = 0
    open: bool = False

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return plain | {
            "extra_attempts": dict(self.extra_attempts),
            "planned": [one.to_json() for one in self.planned],
        }
