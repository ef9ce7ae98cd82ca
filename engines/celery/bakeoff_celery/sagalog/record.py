"""One saga as its log holds it: plain data, read and written whole, changed by what happens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bakeoff.outcome import Cause, Outcome, Status
from bakeoff.saga import JSON, Direction


class State(StrEnum):
    """Where one call of a saga is."""

    READY = "ready"  #: to be made (again), from ``due`` on
    RUNNING = "running"  #: an attempt is being made; it is believed in until ``lease``
    DONE = "done"
    EXHAUSTED = "exhausted"  #: its policy allows no other attempt
    FAILED = "failed"  #: declined, timed out, or dropped by a cancel


#: A call of a saga: name of the step, wait or timer, and the direction.
Key = tuple[str, Direction]


@dataclass(slots=True, kw_only=True)
class Entry:
    """One call: the action or compensation of a step, a wait, or a timer. All times are Unix seconds.

    Attributes:
        attempt: 1-based number of the attempt that is due, is being made, or was the last one.
        due: Not before; ``None`` for a wait that only a signal ends.
        lease: While it runs: after that the attempt counts as lost.
        doubtful: An attempt faulted or was lost, so that it may have had an effect.
        error: Type and message of the last attempt that failed.
        stored: Whether it has a row.
    """

    step: str
    direction: Direction
    due: float | None
    state: State = State.READY
    attempt: int = 1
    lease: float | None = None
    doubtful: bool = False
    result: JSON = None
    error: tuple[str, str] | None = None
    stored: bool = False

    @property
    def key(self) -> Key:
        """By which the record holds it."""
        return self.step, self.direction

    @property
    def open(self) -> bool:
        """Whether something is still to come of it."""
        return self.state in (State.READY, State.RUNNING)

    @property
    def failed(self) -> bool:
        """Whether it ended without a result."""
        return self.state in (State.EXHAUSTED, State.FAILED)

    @property
    def may_have_acted(self) -> bool:
        """Whether it succeeded or may have had an effect (S3)."""
        return self.state is State.DONE or self.doubtful

    @property
    def touched(self) -> bool:
        """Whether a first attempt of it has begun."""
        return self.attempt > 1 or self.state is not State.READY


@dataclass(frozen=True, slots=True)
class Signal:
    """A signal that was delivered for the wait called ``name``."""

    name: str
    id: str
    payload: JSON
    stored: bool = False


@dataclass(slots=True, kw_only=True)
class Record:
    """A saga.

    Attributes:
        version: Of the record; every change compares and increments it.
        cancelled: A cancel was requested while it could still be effective (S9).
        cause: Why it turned back; ``None`` while it goes forward.
        changed: Entries to be written.
        events: Kind and detail of what happened, to be appended to the event history.
    """

    id: str
    saga: str
    input: JSON
    started_at: float
    status: Status = Status.RUNNING
    cause: Cause | None = None
    cancelled: bool = False
    version: int = 0
    entries: dict[Key, Entry] = field(default_factory=dict)
    signals: dict[str, Signal] = field(default_factory=dict)
    changed: set[Key] = field(default_factory=set)
    events: list[tuple[str, str]] = field(default_factory=list)

    def action(self, name: str) -> Entry | None:
        """The entry of a step's action, a wait or a timer; ``None`` before it began."""
        return self.entries.get((name, "action"))

    def undo(self, name: str) -> Entry | None:
        """The entry of a step's compensation; ``None`` before it began."""
        return self.entries.get((name, "compensation"))

    def note(self, kind: str, detail: str, *entries: Entry) -> None:
        """Remember that something happened, and which entries are not what they were."""
        self.events.append((kind, detail))
        self.changed.update(entry.key for entry in entries)

    @property
    def results(self) -> Mapping[str, JSON]:
        """``{name: result}`` of what succeeded on the way forward."""
        return {
            entry.step: entry.result
            for entry in self.entries.values()
            if entry.direction == "action" and entry.state is State.DONE
        }

    @property
    def failed_undos(self) -> tuple[str, ...]:
        """Names of the steps whose compensation gave up (S4)."""
        return tuple(
            entry.step
            for entry in self.entries.values()
            if entry.direction == "compensation" and entry.failed
        )

    @property
    def outcome(self) -> Outcome:
        """The terminal word about it; only once it is settled."""
        return Outcome(self.status, self.results, self.cause, self.failed_undos)
