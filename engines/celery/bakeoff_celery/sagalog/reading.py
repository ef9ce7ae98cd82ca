"""What can be read from the log without changing it: outcomes, lists, where a saga is, what happened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Engine, select

from bakeoff.outcome import Description, Event, Listed, Outcome, Status
from bakeoff.saga import Saga, Wait
from bakeoff.world.database import reading
from bakeoff_celery.sagalog import rows
from bakeoff_celery.sagalog.record import Entry, Record, State
from bakeoff_celery.sagalog.tables import events, sagas

#: Ids in one question.
_BATCH = 500


def settled_outcomes(engine: Engine, workflow_ids: Iterable[str]) -> Mapping[str, Outcome]:
    """``{workflow id: outcome}`` of those that are settled."""
    ids = list(workflow_ids)
    found: list[str] = []
    with reading(engine) as connection:
        for at in range(0, len(ids), _BATCH):
            query = select(sagas.c.id).where(
                sagas.c.id.in_(ids[at : at + _BATCH]), sagas.c.status != str(Status.RUNNING)
            )
            found += connection.execute(query).scalars()
        return {id: rows.load(connection, id).outcome for id in found}


def listed(engine: Engine, status: Status | None, limit: int) -> Sequence[Listed]:
    """Sagas of one status or of all, newest first."""
    query = select(sagas.c.id, sagas.c.status, sagas.c.saga, sagas.c.started_at)
    if status is not None:
        query = query.where(sagas.c.status == str(status))
    query = query.order_by(sagas.c.started_at.desc()).limit(limit)
    with reading(engine) as connection:
        return [
            Listed(row.id, Status(row.status), row.saga, row.started_at) for row in connection.execute(query)
        ]


def history(engine: Engine, workflow_id: str) -> Sequence[Event]:
    """What happened to a saga, in order; ``WorkflowNotFoundError`` if there is none."""
    query = select(events).where(events.c.saga_id == workflow_id).order_by(events.c.id)
    with reading(engine) as connection:
        rows.load(connection, workflow_id)
        return [Event(row.at, row.kind, row.detail) for row in connection.execute(query)]


def description(saga: Saga, record: Record, now: float) -> Description:
    """Where a saga is; of several calls at once, the first that is still open."""
    error = f"{record.cause.type}: {record.cause.message}" if record.cause else None
    entry = next((entry for entry in record.entries.values() if entry.open), None)
    if entry is None:
        return Description(status=record.status, saga=record.saga, last_error=error)
    if entry.error is not None:
        error = f"{entry.error[0]}: {entry.error[1]}"
    if any(isinstance(element, Wait) and element.name == entry.step for element in saga.elements):
        return Description(status=record.status, saga=record.saga, awaiting=entry.step, last_error=error)
    pausing = entry.state is State.READY and entry.attempt > 1 and (entry.due or 0) > now
    return Description(
        status=record.status,
        saga=record.saga,
        current_step=_shown(saga, entry),
        attempt=entry.attempt,
        next_retry_at=entry.due if pausing else None,
        last_error=error,
    )


def _shown(saga: Saga, entry: Entry) -> str:
    return entry.step if entry.direction == "action" else saga.step(entry.step).compensation_name
