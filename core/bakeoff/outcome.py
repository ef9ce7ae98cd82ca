"""What an engine tells its client about one saga."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from bakeoff.saga import JSON


class Status(StrEnum):
    """Where a saga is. The first three are terminal and count as settled (S5)."""

    COMPLETED = "completed"
    COMPENSATED = "compensated"
    COMPENSATION_FAILED = "compensation_failed"
    RUNNING = "running"

    @property
    def settled(self) -> bool:
        """True for the three terminal outcomes."""
        return self is not Status.RUNNING


@dataclass(frozen=True, slots=True)
class Cause:
    """Why the forward direction ended: exception class name, its message and the step.

    ``type`` is ``"WaitTimeout"`` for a wait that timed out and ``"Cancelled"`` for a cancel.
    """

    type: str
    message: str
    step: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """The terminal word of an engine about one saga (S5).

    Attributes:
        status: One of the three settled statuses.
        results: ``{step name: result}`` of the steps that succeeded.
        cause: Why it was compensated; ``None`` when completed.
        failed_compensations: Names of the *steps* whose compensation gave up (S4).
    """

    status: Status
    results: Mapping[str, JSON] = field(default_factory=dict)
    cause: Cause | None = None
    failed_compensations: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As plain JSON; ``from_json`` reverses it."""
        data = asdict(self)
        data["status"] = str(self.status)
        data["failed_compensations"] = list(self.failed_compensations)
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Outcome:
        """Reverse of ``to_json``; missing optional fields take their defaults."""
        cause = data.get("cause")
        return cls(
            status=Status(data["status"]),
            results=data.get("results") or {},
            cause=Cause(**cause) if cause else None,
            failed_compensations=tuple(data.get("failed_compensations") or ()),
        )


@dataclass(frozen=True, slots=True)
class Description:
    """What an engine can tell about a saga now; ``None`` and ``unknown`` are honest answers.

    Attributes:
        status: Where it is.
        saga: Name of the saga.
        current_step: The step that acts, retries or waits now.
        attempt: 1-based number of the current attempt.
        next_retry_at: Unix seconds (UTC) of the next attempt, while one is scheduled.
        awaiting: Name of the signal that is awaited.
        last_error: ``"Type: message"`` of the last failed attempt.
        unknown: ``{field: reason}`` for every field that this engine cannot tell.
    """

    status: Status
    saga: str | None = None
    current_step: str | None = None
    attempt: int | None = None
    next_retry_at: float | None = None
    awaiting: str | None = None
    last_error: str | None = None
    unknown: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of an engine's own event history.

    Attributes:
        at: Unix seconds (UTC).
        kind: In the engine's words.
        detail: What it is about.
        size_bytes: Of the engine's own record, as it is stored or sent; ``None`` if the engine does not tell.
    """

    at: float
    kind: str
    detail: str = ""
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Where a person can look at one saga in the engine's own web UI.

    Attributes:
        url: Of the page; its server has just shown the saga. Empty: there is none.
        how: Where there is none, why, or how to get one, in a phrase.
    """

    url: str = ""
    how: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """One saga in an engine's own list; ``started_at`` in Unix seconds (UTC), where the engine tells."""

    workflow_id: str
    status: Status
    saga: str | None = None
    started_at: float | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that an engine gave up.

    Attributes:
        message_id: By which it can be put back.
        reason: Why it lies there, as far as it can be told.
        is_open: Nobody has acted upon it: its saga, if it is of one, cannot go on without it.
        at: When it was given up, Unix seconds (UTC); ``None`` where the broker does not say.
        what: The task or actor that it is for; ``None`` if it cannot be read.
        workflow_id: Of its saga.
        saga_status: Where that saga is.
    """

    message_id: str
    reason: str
    is_open: bool
    at: float | None = None
    what: str | None = None
    workflow_id: str | None = None
    saga_status: Status | None = None
