"""What may happen to a saga, each as a small change of its record; what follows from it is decided elsewhere.

All are idempotent in the way that matters: what comes late, twice, or from a process that was given up for
dead finds the entry in another state or attempt, and changes nothing.
"""

from __future__ import annotations

from datetime import timedelta

from bakeoff.errors import SignalRejectedError
from bakeoff.saga import JSON, Saga, Sleep, Wait
from bakeoff_celery.sagalog.advance import (
    EARLY_S,
    Begin,
    Close,
    Drop,
    Finish,
    Move,
    TurnBack,
    decide,
    irrevocable,
)
from bakeoff_celery.sagalog.record import Entry, Key, Record, Signal, State
from bakeoff_celery.sagalog.way import is_left_out


def settle(saga: Saga, record: Record, now: float) -> None:
    """Make every move that follows, until one is somebody else's."""
    while (move := decide(saga, record, now)) is not None:
        _make(move, saga, record, now)


def _make(move: Move, saga: Saga, record: Record, now: float) -> None:
    match move:
        case Begin(names, direction):
            for name in names:
                element = saga.elements[saga.index_of(name)]
                pause: timedelta | None = timedelta(0)
                if isinstance(element, Sleep):
                    pause = element.duration
                elif isinstance(element, Wait):
                    pause = element.timeout
                due = None if pause is None else now + pause.total_seconds()
                entry = Entry(step=name, direction=direction, due=due)
                record.entries[entry.key] = entry
                record.note("scheduled", _named(entry), entry)
        case Close(key, result, error):
            entry = record.entries[key]
            entry.state = State.FAILED if error else State.DONE
            entry.result, entry.error = result, error
            record.note("timed out" if error else "passed", entry.step, entry)
        case Drop(keys):
            for key in keys:
                entry = record.entries[key]
                entry.state = State.FAILED
                record.note("dropped", _named(entry), entry)
        case TurnBack(cause):
            record.cause = cause
            record.note("turned back", f"{cause.step}: {cause.type}: {cause.message}")
        case Finish(status):
            record.status = status
            record.note("settled", str(status))


def claim(saga: Saga, record: Record, key: Key, attempt: int, now: float, lease_s: float, lost: bool) -> bool:
    """Take an attempt; ``False`` if there is none to take.

    A message about an attempt whose lease ran out, or whose process was seen to die (``lost``), tells that
    it is lost: a fault, after which the step's own policy decides about the next one.
    """
    entry = record.entries.get(key)
    if entry is None or not entry.open or entry.attempt != attempt:
        return False
    if entry.state is State.RUNNING:
        if lost or (entry.lease or 0) <= now:
            told = "the process that made this attempt fell silent"
            fault(saga, record, key, attempt, ("WorkerLost", told), now)
        return False
    # A first attempt is due at once, perhaps by the clock of a host that is ahead; its message must not be
    # dropped for that. A retry comes by this host's own clock.
    if entry.due is None or (attempt > 1 and entry.due > now + EARLY_S):
        return False
    entry.state, entry.lease = State.RUNNING, now + lease_s
    record.note("attempt", f"{_named(entry)} #{attempt}", entry)
    return True


def succeed(record: Record, key: Key, attempt: int, result: JSON) -> None:
    """An attempt has returned."""
    if entry := _running(record, key, attempt):
        entry.state, entry.result = State.DONE, result
        record.note("done", _named(entry), entry)


def decline(record: Record, key: Key, attempt: int, error: tuple[str, str]) -> None:
    """An action said no: it is not repeated."""
    if entry := _running(record, key, attempt):
        entry.state, entry.error = State.FAILED, error
        record.note("declined", f"{_named(entry)}: {error[0]}: {error[1]}", entry)


def fault(saga: Saga, record: Record, key: Key, attempt: int, error: tuple[str, str], now: float) -> None:
    """An attempt failed in any other way: the next one is due, or it was the last."""
    entry = _running(record, key, attempt)
    if entry is None:
        return
    policy = saga.retry_of(saga.step(entry.step), entry.direction)
    entry.doubtful, entry.error = True, error
    kind = "gave up" if policy.exhausted(attempt) else "failed"
    record.note(kind, f"{_named(entry)} #{attempt}: {error[0]}: {error[1]}", entry)
    if policy.exhausted(attempt):
        entry.state = State.EXHAUSTED
    else:
        entry.state, entry.attempt = State.READY, attempt + 1
        entry.due = now + policy.delay_after(attempt).total_seconds()


def deliver(saga: Saga, record: Record, signal: Signal) -> bool:
    """Keep a signal for its wait; ``False`` if this one is known.

    Raises:
        SignalRejectedError: If it comes too late, or no wait has its name.
    """
    if any(known.id == signal.id for known in record.signals.values()):
        return False
    if not any(isinstance(element, Wait) and element.name == signal.name for element in saga.elements):
        raise SignalRejectedError(f"{record.id}: {saga.name} never waits for {signal.name!r}")
    entry = record.action(signal.name)
    passed = not entry.open if entry is not None else is_left_out(saga, record, signal.name)
    if passed or record.status.settled or record.cause is not None or signal.name in record.signals:
        raise SignalRejectedError(f"{record.id}: {signal.name!r} came too late; the wait is over")
    record.signals[signal.name] = signal
    record.note("signal", f"{signal.name} ({signal.id})")
    return True


def cancel(saga: Saga, record: Record) -> None:
    """Request a cancel; without effect once it is too late (S9)."""
    if record.status.settled or record.cause is not None or record.cancelled or irrevocable(saga, record):
        return
    record.cancelled = True
    record.note("cancel requested", "")


def _running(record: Record, key: Key, attempt: int) -> Entry | None:
    entry = record.entries.get(key)
    alive = entry is not None and entry.state is State.RUNNING and entry.attempt == attempt
    return entry if alive else None


def _named(entry: Entry) -> str:
    return entry.step if entry.direction == "action" else f"undo {entry.step}"
