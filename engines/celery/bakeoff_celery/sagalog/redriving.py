"""An operator's push: going on where nothing went on by itself."""

from __future__ import annotations

from bakeoff.errors import RedriveRefusedError
from bakeoff.outcome import Status
from bakeoff.saga import Saga
from bakeoff_celery.sagalog.record import Entry, Record, State


def redrive(saga: Saga, record: Record, now: float, step: str | None) -> str:
    """Let undos that gave up begin anew, or publish again what is open; return what was done, in a line.

    Raises:
        RedriveRefusedError: If there is nothing to redrive.
    """
    if record.status is Status.COMPENSATION_FAILED:
        return _undo_again(record, now, step)
    if record.status.settled:
        raise RedriveRefusedError(f"{record.id} is {record.status}: there is nothing to redrive")
    ready = [entry for entry in record.entries.values() if entry.state is State.READY]
    commands = [entry for entry in ready if entry.due is not None]
    running = [entry for entry in record.entries.values() if entry.state is State.RUNNING]
    if running and not commands:
        names = ", ".join(entry.step for entry in running)
        raise RedriveRefusedError(f"{record.id}: {names} is being attempted until its lease is over")
    if not commands:
        names = ", ".join(entry.step for entry in ready)
        raise RedriveRefusedError(f"{record.id} waits for {names}: send the signal, or cancel it")
    names = ", ".join(entry.step for entry in commands)
    record.note("redriven", names, *commands)
    return f"published the command for {names} again"


def _undo_again(record: Record, now: float, step: str | None) -> str:
    failed: list[Entry] = [
        entry for entry in record.entries.values() if entry.direction == "compensation" and entry.failed
    ]
    if step is not None and step not in record.failed_undos:
        listed = ", ".join(record.failed_undos)
        raise RedriveRefusedError(f"{record.id}: the compensation of {step!r} did not give up; {listed} did")
    chosen = [entry for entry in failed if step in (None, entry.step)]
    for entry in chosen:
        entry.state, entry.attempt, entry.due, entry.error = State.READY, 1, now, None
    record.status = Status.RUNNING
    names = ", ".join(entry.step for entry in chosen)
    record.note("redriven", names, *chosen)
    return f"undoing {names} begins anew"
