"""How long ago a saga last got on, as the services saw it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, case, func, or_, select

from bakeoff.world import schema
from bakeoff.world.database import reading
from bakeoff.world.ledger import Record

#: Placeholders that any database takes in one statement.
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Progress:
    """The last traces of one saga in the ledger.

    Attributes:
        step: The last record that was progress: an effect, a compensation that had nothing to undo, or the
            first attempt of a call. A repeated attempt is none.
        last: The last record of any kind.
    """

    step: Record
    last: Record


def read_progress(engine: Engine, workflow_ids: Collection[str]) -> Mapping[str, Progress]:
    """``{workflow id: progress}`` of those sagas that have left a trace; one pass over the ledger."""
    ledger = schema.ledger.c
    counts = case((or_(ledger.kind != "attempt", ledger.ordinal == 1), ledger.seq))
    newest = select(
        ledger.workflow_id, func.max(counts).label("step"), func.max(ledger.seq).label("last")
    ).group_by(ledger.workflow_id)
    wanted = set(workflow_ids)
    with reading(engine) as connection:
        found = [row for row in connection.execute(newest) if row.workflow_id in wanted]
        records: dict[int, Record] = {}
        for numbers in _in_batches(sorted({seq for row in found for seq in (row.step, row.last)})):
            query = select(schema.ledger).where(ledger.seq.in_(numbers))
            records |= {row.seq: Record(*row) for row in connection.execute(query)}
    return {row.workflow_id: Progress(records[row.step], records[row.last]) for row in found}


def _in_batches(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(numbers), _AT_ONCE):
        yield numbers[start : start + _AT_ONCE]
