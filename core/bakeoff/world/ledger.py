"""Reading the ledger: the only witness that a verdict may rest on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, select

from bakeoff.saga import JSON, Direction
from bakeoff.world import schema
from bakeoff.world.database import reading


@dataclass(frozen=True, slots=True)
class Record:
    """One line of the ledger.

    Attributes:
        seq: Position; records of one saga that follow each other have growing numbers.
        kind: ``attempt``, ``effect``, ``nothing`` (compensation without anything to undo), ``tombstone``.
        ordinal: 1-based number of the attempt of this call, as the service database counts.
        attempt: The same as the engine counts.
        repeat: In an attempt: the effect was committed before, so without a key it *would have duplicated*.
        at: Unix seconds of the worker's clock; for people, not for durations.
    """

    seq: int
    kind: str
    key: str
    workflow_id: str
    step: str
    direction: Direction
    ordinal: int
    attempt: int
    repeat: bool
    pid: int
    at: float
    result: JSON

    @property
    def call(self) -> tuple[str, str]:
        """``(step, direction)``."""
        return self.step, self.direction


def read_ledger(engine: Engine, *, after: int = 0, workflow_id: str | None = None) -> Sequence[Record]:
    """Return records with ``seq > after`` in order, of one saga or of all."""
    query = select(schema.ledger).where(schema.ledger.c.seq > after).order_by(schema.ledger.c.seq)
    if workflow_id is not None:
        query = query.where(schema.ledger.c.workflow_id == workflow_id)
    with reading(engine) as connection:
        return [Record(*row) for row in connection.execute(query)]
