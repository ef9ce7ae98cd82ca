"""What follows from a saga's log: one pure function that looks at the record and names the next move.

Whoever changed a record asks again until nothing follows any more. Nobody remembers where a saga is: that is
read from its entries, so a saga goes on under a newer definition, too. What a newer version puts in front of
the place where a saga stands is passed over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bakeoff.errors import ConditionError
from bakeoff.outcome import Cause, Status
from bakeoff.saga import JSON, Direction, Element, Saga, Sleep, Step, Wait
from bakeoff_celery.sagalog.record import Entry, Key, Record, State
from bakeoff_celery.sagalog.way import entries_of, furthest, members_of

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
    element = furthest(saga, record)
    if element is None:
        return _enter(saga, record, saga.stretch(0))
    entries = entries_of(record, element)
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
    if isinstance(element, Step) and element.on_exhausted and entries[0].state is State.EXHAUSTED:
        return _escalate(saga, record, element)
    if (cause := _failure(saga, record, element)) is not None:
        return TurnBack(cause)
    return _enter(saga, record, saga.stretch(saga.index_of(element.name))[1:])


def _enter(saga: Saga, record: Record, elements: Sequence[Element]) -> Move:
    """Begin with the first of the elements that is due; without one the saga is completed."""
    for element in elements:
        if due := _due(saga, record, element):
            return Begin(due, "action")
        if (cause := _failure(saga, record, element)) is not None:
            return TurnBack(cause)
    return Finish(Status.COMPLETED)


def _due(saga: Saga, record: Record, element: Element) -> Sequence[str]:
    """What of an element is to be made; not a step whose condition raises."""
    return [member.name for member in members_of(element) if _condition(saga, record, member) is True]


def _failure(saga: Saga, record: Record, element: Element) -> Cause | None:
    """Why an element that is over ends the forward direction: of a group, by the first that failed."""
    for member in members_of(element):
        entry = record.action(member.name)
        if entry is not None and entry.failed and entry.error is not None:
            return Cause(*entry.error, member.name)
        if entry is None and isinstance(error := _condition(saga, record, member), ConditionError):
            return Cause(type(error).__name__, str(error), member.name)
    return None


def _condition(saga: Saga, record: Record, member: Element) -> bool | ConditionError:
    """Ask whether it is due, of what the log holds; the same log answers the same."""
    if not isinstance(member, Step | Wait) or member.when is None:
        return True
    try:
        return saga.is_due(member, record.input, record.results)
    except ConditionError as error:
        return error


def _escalate(saga: Saga, record: Record, step: Step) -> Move | None:
    """Undo the exhausted step, which may have had an effect, and go on with its escalation."""
    undo = record.undo(step.name)
    if step.compensation is not None and undo is None:
        return Begin([step.name], "compensation")
    if undo is not None and undo.open:
        return None
    entry = record.action(step.name)
    assert entry is not None, "an exhausted step has an entry"
    assert entry.error is not None, "... and an error"
    if undo is not None and undo.failed:
        return TurnBack(Cause(*entry.error, step.name))
    return _enter(saga, record, saga.stretch(saga.index_of(str(step.on_exhausted))))


def _backward(saga: Saga, record: Record) -> Move | None:
    # An exhausted step whose escalation has begun has its undo behind it, and keeps it.
    for element in reversed(saga.elements):
        acted = [entry for entry in entries_of(record, element) if entry.may_have_acted]
        owed = [step.name for step in members_of(element) if _owed(step, acted)]
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


def _owed(element: Element, acted: Sequence[Entry]) -> bool:
    has_undo = isinstance(element, Step) and element.compensation is not None
    return has_undo and any(entry.step == element.name for entry in acted)
