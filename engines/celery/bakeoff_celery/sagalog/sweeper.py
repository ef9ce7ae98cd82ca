"""The sweeper: whatever is overdue is published again.

It decides nothing. A message about an attempt that is believed to run tells whoever takes it that the
attempt's lease is over; one about a call that nobody took is the same message once more. Any number of
sweepers may look at the same time: moving ``look_at`` from what they saw is won by one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, select, update

from bakeoff.world.database import reading, writing
from bakeoff_celery.sagalog.log import Message, SagaLog
from bakeoff_celery.sagalog.tables import THE_CALL, calls, sagas, the_call

#: Messages of one sweep; the next one goes on where this one ended.
_MOST = 1000

_OVERDUE = (
    select(calls, sagas.c.saga)
    .join(sagas, sagas.c.id == calls.c.saga_id)
    .where(calls.c.look_at <= bindparam("now"))
    .order_by(calls.c.look_at)
    .limit(_MOST)
)
_TAKE = (
    update(calls)
    .where(*THE_CALL, calls.c.look_at == bindparam("seen"))
    .values(look_at=bindparam("next"), rings=calls.c.rings + 1)
)
_GIVE_BACK = (
    update(calls)
    .where(*THE_CALL, calls.c.attempt == bindparam("the_attempt"), calls.c.look_at.is_not(None))
    .values(look_at=bindparam("now"))
)


def overdue(log: SagaLog, now: float) -> Sequence[Message]:
    """Take what is overdue off every other sweeper's hands and return what is to be published."""
    with reading(log.engine) as connection:
        found = connection.execute(_OVERDUE, {"now": now}).all()
    if not found:
        return ()
    with writing(log.engine) as tx:
        return [
            Message(row.saga_id, row.saga, row.step, row.direction, row.attempt, row.due or now)
            for row in found
            if tx.execute(_TAKE, _taken(log, row, now)).rowcount == 1
        ]


def give_back(log: SagaLog, messages: Sequence[Message], now: float) -> None:
    """Let the next sweep have what could not be published."""
    with writing(log.engine) as tx:
        for one in messages:
            call = the_call(one.workflow_id, one.step, one.direction)
            tx.execute(_GIVE_BACK, {**call, "the_attempt": one.attempt, "now": now})


def _taken(log: SagaLog, row: Any, now: float) -> dict[str, Any]:
    next_look = log.timing.look_again_at(row.due, row.rings, now)
    return {**the_call(row.saga_id, row.step, row.direction), "seen": row.look_at, "next": next_look}
