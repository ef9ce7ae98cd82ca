"""Records as rows and back. JSON stands in the tables as canonical text."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, insert, select, update

from bakeoff.errors import WorkflowNotFoundError
from bakeoff.outcome import Cause, Status
from bakeoff.saga import JSON
from bakeoff.telemetry import Headers
from bakeoff.world.database import reading
from bakeoff_celery.sagalog.record import Entry, Record, Signal, State
from bakeoff_celery.sagalog.tables import THE_CALL, calls, events, sagas, signals, the_call, traces
from bakeoff_celery.sagalog.timing import Timing
from bakeoff_celery.state import to_json

_SAGA = select(sagas).where(sagas.c.id == bindparam("id"))
_CALLS = select(calls).where(calls.c.saga_id == bindparam("id")).order_by(calls.c.number)
_TRACE = select(traces.c.headers).where(traces.c.saga_id == bindparam("id"))
_SIGNALS = select(signals).where(signals.c.saga_id == bindparam("id"))
_NEXT_VERSION = (
    update(sagas)
    .where(sagas.c.id == bindparam("saga_id"), sagas.c.version == bindparam("seen"))
    .values(
        version=sagas.c.version + 1,
        status=bindparam("status"),
        cause=bindparam("cause"),
        cancelled=bindparam("cancelled"),
    )
)
_KEY = ("saga_id", "step", "direction")
_UPDATE_CALL = (
    update(calls)
    .where(*THE_CALL)
    .values({column.name: bindparam(column.name) for column in calls.c if column.name not in _KEY})
)


def read(engine: Engine, workflow_id: str) -> Record:
    """A saga as it is now; ``WorkflowNotFoundError`` if there is none."""
    with reading(engine) as connection:
        return load(connection, workflow_id)


def load(connection: Connection, workflow_id: str) -> Record:
    """The same inside a transaction."""
    id = {"id": workflow_id}
    row = connection.execute(_SAGA, id).one_or_none()
    if row is None:
        raise WorkflowNotFoundError(f"no saga {workflow_id!r} was started here")
    record = Record(
        id=row.id,
        saga=row.saga,
        input=json.loads(row.input),
        started_at=row.started_at,
        status=Status(row.status),
        cause=Cause(**json.loads(row.cause)) if row.cause else None,
        cancelled=row.cancelled,
        version=row.version,
    )
    for one in connection.execute(_CALLS, id):
        entry = Entry(
            step=one.step,
            direction=one.direction,
            due=one.due,
            state=State(one.state),
            attempt=one.attempt,
            lease=one.lease,
            doubtful=one.doubtful,
            result=_from_text(one.result),
            error=tuple(json.loads(one.error)) if one.error else None,
            stored=True,
        )
        record.entries[entry.key] = entry
    for one in connection.execute(_SIGNALS, id):
        record.signals[one.name] = Signal(one.name, one.signal_id, json.loads(one.payload), stored=True)
    return record


def insert_saga(tx: Connection, record: Record) -> None:
    """Make the row of a new saga; ``IntegrityError`` if its id exists."""
    row = {"id": record.id, "saga": record.saga, "input": to_json(record.input, "the input")}
    tx.execute(insert(sagas), {**row, "started_at": record.started_at, "version": 0, **_mutable(record)})


def insert_trace(tx: Connection, workflow_id: str, headers: Headers) -> None:
    """Keep the trace context of a new saga."""
    text = to_json(dict(headers), "the trace context")
    tx.execute(insert(traces), {"saga_id": workflow_id, "headers": text})


def trace_of(engine: Engine, workflow_id: str) -> Headers | None:
    """The trace context of a saga; ``None`` if it was started without one."""
    with reading(engine) as connection:
        text = connection.execute(_TRACE, {"id": workflow_id}).scalar_one_or_none()
    return None if text is None else json.loads(text)


def write(tx: Connection, record: Record, timing: Timing, now: float) -> bool:
    """Write what has changed; ``False``, and nothing, if somebody else changed the saga since it was read."""
    version = {"saga_id": record.id, "seen": record.version, **_mutable(record)}
    if tx.execute(_NEXT_VERSION, version).rowcount != 1:
        return False
    numbers = {key: number for number, key in enumerate(record.entries)}
    for key in record.changed:
        entry = record.entries[key]
        row = {"number": numbers[key], **_row(entry, timing, now)}
        if entry.stored:
            tx.execute(_UPDATE_CALL, {**the_call(record.id, *entry.key), **row})
        else:
            of = {"saga_id": record.id, "step": entry.step, "direction": entry.direction}
            tx.execute(insert(calls), {**of, **row})
    for signal in record.signals.values():
        if not signal.stored:
            row = {"saga_id": record.id, "name": signal.name, "signal_id": signal.id}
            tx.execute(insert(signals), {**row, "payload": to_json(signal.payload, "the payload")})
    tx.execute(
        insert(events),
        [{"saga_id": record.id, "at": now, "kind": kind, "detail": text} for kind, text in record.events],
    )
    return True


def _mutable(record: Record) -> dict[str, Any]:
    cause = to_json(asdict(record.cause), "the cause") if record.cause else None
    return {"status": str(record.status), "cause": cause, "cancelled": record.cancelled}


def _row(entry: Entry, timing: Timing, now: float) -> dict[str, Any]:
    return {
        "state": str(entry.state),
        "attempt": entry.attempt,
        "due": entry.due,
        "lease": entry.lease,
        "look_at": timing.look_at(entry, now),
        "rings": 0,
        "doubtful": entry.doubtful,
        "result": None if entry.result is None else to_json(entry.result, f"the result of {entry.step}"),
        "error": None if entry.error is None else to_json(entry.error, "the error"),
    }


def _from_text(text: str | None) -> JSON:
    return None if text is None else json.loads(text)
