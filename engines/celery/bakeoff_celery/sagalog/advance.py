"""What follows from a saga's log: one pure function that looks at the record and names the next move.

Whoever changed a record asks again until nothing follows any more. Nobody remembers where a saga is: that is
read from its entries, so a saga goes on under a newer definition, too. What a newer version puts in front of
the place where a saga stands is passed over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bakeoff.outcome import Cause, Status
from bakeoff.saga import JSON, Direction, Element, Parallel, Saga, Sleep, Step, Wait
from bakeoff_celery.sagalog.record import Entry, Key, Record, State

#: Seconds by which a timer may strike early: brokers and clocks are no better.
EARLY_S = 0.005


@dataclass(frozen=True, slots=True)
class Begin:
    """Make these calls, all at once."""

    names: Sequence[str]
    direction: Direction


@dataclass(frozen=True, slots=True)
class Close:
    """A wait or timer is over; with ``error`` (type, message) it has failed."""

    key: Key
    result: JSON = None
    error: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Drop:
    """A cancel: nobody is at work on these calls, so nobody will be."""

    keys: Sequence[Key]


@dataclass(frozen=True, slots=True)
class TurnBack:
    """The forward direction has ended (S2)."""

    cause: Cause


@dataclass(frozen=True, slots=True)
class Finish:
    """The saga is settled (S5)."""

    status: Status


Move = Begin | Close | Drop | TurnBack | Finish


def decide(saga: Saga, record: Record, now: float) -> Move | None:
    """The next move; ``None`` while a call, a wait or a timer is still open."""
    if record.status.settled:
        return None
    return _backward(saga, record) if record.cause is not None else _forward(saga, record, now)


def irrevocable(saga: Saga, record: Record) -> bool:
    """Whether a cancel comes too late: the pivot's first attempt has begun (S9)."""
    pivot = saga.pivot_index()
    entry = record.action(saga.elements[pivot].name) if pivot is not None else None
    return entry is not None and entry.touched


def _forward(saga: Saga, record: Record, now: float) -> Move | None:
    begun = [index for index, element in enumerate(saga.elements) if _entries(record, element)]
    if not begun:
        return Begin(_names(saga.elements[0]), "action")
    element, entries = saga.elements[begun[-1]], _entries(record, saga.elements[begun[-1]])
    if isinstance(element, Wait | Sleep) and entries[0].open and (over := _over(element, record, now)):
        return over
    still_open = [entry for entry in entries if entry.open]
    if record.cancelled and not irrevocable(saga, record):
        if idle := [entry.key for entry in still_open if entry.state is State.READY]:
            return Drop(idle)
        if not still_open:
            return TurnBack(Cause("Cancelled", "cancelled by request", element.name))
    if still_open:
        return None
    for entry in entries:
        if entry.error is not None and entry.state is State.FAILED:
            return TurnBack(Cause(*entry.error, entry.step))
    if begun[-1] + 1 == len(saga.elements):
        return Finish(Status.COMPLETED)
    return Begin(_names(saga.elements[begun[-1] + 1]), "action")


def _backward(saga: Saga, record: Record) -> Move | None:
    for element in reversed(saga.elements):
        acted = [entry for entry in _entries(record, element) if entry.may_have_acted]
        owed = [step.name for step in _steps(element) if step.compensation and _of(step, acted)]
        if fresh := [name for name in owed if record.undo(name) is None]:
            return Begin(fresh, "compensation")
        if any((undo := record.undo(name)) and undo.open for name in owed):
            return None
    return Finish(Status.COMPENSATION_FAILED if record.failed_undos else Status.COMPENSATED)


def _over(element: Wait | Sleep, record: Record, now: float) -> Close | None:
    """Whether a wait or timer is over: by its signal, or by its time."""
    entry = record.entries[element.name, "action"]
    if signal := record.signals.get(element.name):
        return Close(entry.key, signal.payload)
    if entry.due is None or entry.due > now + EARLY_S:
        return None
    if isinstance(element, Wait) and element.timeout and element.on_timeout == "fail":
        told = f"no signal {element.name!r} within {element.timeout.total_seconds()} s"
        return Close(entry.key, error=("WaitTimeout", told))
    return Close(entry.key)


def _steps(element: Element) -> Sequence[Step]:
    if isinstance(element, Parallel):
        return element.steps
    return (element,) if isinstance(element, Step) else ()


def _names(element: Element) -> Sequence[str]:
    return [step.name for step in element.steps] if isinstance(element, Parallel) else [element.name]


def _entries(record: Record, element: Element) -> list[Entry]:
    return [entry for name in _names(element) if (entry := record.action(name))]


def _of(step: Step, entries: Sequence[Entry]) -> bool:
    return any(entry.step == step.name for entry in entries)
