"""The saga log: every change of a saga is one transaction, and the next command is in it.

    read the saga -> let something happen -> decide what follows -> write it if nobody was faster

A change returns the messages to be published *after* the commit. They are only a doorbell: what is lost is
published again by the sweeper, and what comes twice finds nothing to do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from bakeoff.errors import WorkflowConflictError
from bakeoff.registry import find_saga
from bakeoff.saga import JSON, Direction, Saga
from bakeoff.telemetry import carried
from bakeoff.world.database import writing
from bakeoff_celery.sagalog import rows
from bakeoff_celery.sagalog.happenings import settle
from bakeoff_celery.sagalog.record import Entry, Record
from bakeoff_celery.sagalog.timing import Timing

T = TypeVar("T")

#: What happens to a saga: it changes the record and may return something.
Happening = Callable[[Saga, Record, float], T]


@dataclass(frozen=True, slots=True)
class Message:
    """A command: make attempt ``attempt`` of this call, not before ``due`` (Unix seconds)."""

    workflow_id: str
    saga: str
    step: str
    direction: Direction
    attempt: int
    due: float


class SagaLog:
    """The log of one deployment, as one process sees it."""

    def __init__(self, engine: Engine, sagas: Mapping[str, Saga], timing: Timing) -> None:
        self.engine = engine
        self.timing = timing
        self._sagas = dict(sagas)

    def saga(self, name: str) -> Saga:
        """The saga of that name; ``UnknownNameError`` if this process does not know it."""
        return find_saga(name, self._sagas)

    def start(self, saga: Saga, workflow_id: str, input: JSON) -> tuple[bool, Sequence[Message]]:
        """Write a new saga down, with its first command; ``False`` if it is there already.

        Raises:
            WorkflowConflictError: If the id exists with another saga or input.
        """
        try:
            with writing(self.engine) as tx:
                now = time.time()
                record = Record(id=workflow_id, saga=saga.name, input=input, started_at=now)
                rows.insert_saga(tx, record)
                if (headers := carried()) is not None:
                    rows.insert_trace(tx, workflow_id, headers)
                record.note("started", saga.name)
                settle(saga, record, now)
                rows.write(tx, record, self.timing, now)
                return True, self._messages(record, now)
        except IntegrityError:
            known = rows.read(self.engine, workflow_id)
            if (known.saga, known.input) != (saga.name, input):
                raise WorkflowConflictError(
                    f"{workflow_id} exists already with another saga or input"
                ) from None
            return False, ()

    def change(self, workflow_id: str, happening: Happening[T]) -> tuple[T, Record, Sequence[Message]]:
        """Let something happen to a saga; what it returned, the record and the messages to publish.

        Raises:
            WorkflowNotFoundError: If no saga of this id was started.
        """
        while True:
            with writing(self.engine) as tx:
                record = rows.load(tx, workflow_id)
                now = time.time()
                saga = self.saga(record.saga)
                answer = happening(saga, record, now)
                settle(saga, record, now)
                if not record.events:
                    return answer, record, ()
                if rows.write(tx, record, self.timing, now):
                    return answer, record, self._messages(record, now)
            # Somebody else was faster: again, from what is true now.

    def _messages(self, record: Record, now: float) -> Sequence[Message]:
        changed = (record.entries[key] for key in record.changed)
        return [message(record, entry) for entry in changed if self.timing.publish_now(entry, now)]


def message(record: Record, entry: Entry) -> Message:
    """The command of an entry that is ready."""
    assert entry.due is not None
    return Message(record.id, record.saga, entry.step, entry.direction, entry.attempt, entry.due)
