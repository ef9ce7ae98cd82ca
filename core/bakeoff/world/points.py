"""Named points of a step at which a fault can be aimed, and the hold that keeps a process there.

A point is *armed* for one saga and one call. The first process that reaches it writes a row (its own
process id, in a transaction of its own) and waits: whoever injects the fault sees the row, knows which
process stands there, and acts from outside. No point lies inside a transaction.

    between_steps   the engine has handed the call over; nothing of it is recorded yet
    before_effect   the attempt is recorded, the effect is not
    after_effect    the effect is committed, the engine has not been told
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, Engine, and_, func, insert, select, update

from bakeoff.saga import Call, Direction
from bakeoff.world import schema
from bakeoff.world.database import reading, writing

#: A process that nobody came for goes on after this long; longer than any fault takes to be injected.
HOLD_S = 60.0
_POLL_S = 0.02

_armed, _reached = schema.armed_points, schema.reached_points


class Point(StrEnum):
    """Where a process can be caught; see the module."""

    BETWEEN_STEPS = "between_steps"
    BEFORE_EFFECT = "before_effect"
    AFTER_EFFECT = "after_effect"


@dataclass(frozen=True, slots=True)
class Aim:
    """One point of one call of a saga: ``charge_payment.after_effect``, ``release_inventory.before_effect``.

    Attributes:
        step: Name of the step, also for its compensation.
        direction: ``"action"`` or ``"compensation"``.
        point: Where in the call.
    """

    step: str
    direction: Direction
    point: Point


@dataclass(frozen=True, slots=True)
class Reached:
    """A process that stands, or stood, at a point.

    Attributes:
        id: Of the row; ``release`` takes it.
        pid: Of the process on this machine.
        at: Unix seconds of its clock.
    """

    id: int
    workflow_id: str
    aim: Aim
    pid: int
    at: float


def arm(engine: Engine, workflow_id: str, aim: Aim, times: int = 1) -> None:
    """Let the first ``times`` processes that reach the point of this saga stop there."""
    row = {"workflow_id": workflow_id, **_columns(aim), "times": times}
    with writing(engine) as tx:
        tx.execute(insert(_armed), row)


def reached(engine: Engine, *, after: int = 0) -> Sequence[Reached]:
    """Rows with ``id > after`` of processes that reached an armed point, oldest first."""
    query = select(_reached).where(_reached.c.id > after).order_by(_reached.c.id)
    with reading(engine) as connection:
        return [
            Reached(row.id, row.workflow_id, Aim(row.step, row.direction, Point(row.point)), row.pid, row.at)
            for row in connection.execute(query)
        ]


def release(engine: Engine, id: int) -> None:
    """Let a process go on that stands at a point."""
    with writing(engine) as tx:
        tx.execute(update(_reached).where(_reached.c.id == id).values(released=True))


def reach(engine: Engine, call: Call, point: Point) -> None:
    """Called by the process itself: stop here if the point is armed, until released or ``HOLD_S`` is over."""
    aim = Aim(call.step, call.direction, point)
    with writing(engine) as tx:
        row_id = _stand(tx, call.workflow_id, aim)
    if row_id is None:
        return
    deadline = time.monotonic() + HOLD_S
    while time.monotonic() < deadline and not _released(engine, row_id):
        time.sleep(_POLL_S)


def _stand(tx: Connection, workflow_id: str, aim: Aim) -> int | None:
    columns = _columns(aim)
    here = [and_(table.c.workflow_id == workflow_id, *(table.c[n] == v for n, v in columns.items()))
            for table in (_armed, _reached)]  # fmt: skip
    times = tx.execute(select(func.sum(_armed.c.times)).where(here[0])).scalar_one()
    if not times or tx.execute(select(func.count()).where(here[1])).scalar_one() >= times:
        return None
    row = {"workflow_id": workflow_id, **columns, "pid": os.getpid(), "at": time.time(), "released": False}
    return int(tx.execute(insert(_reached).returning(_reached.c.id), row).scalar_one())


def _released(engine: Engine, row_id: int) -> bool:
    with reading(engine) as connection:
        return bool(connection.execute(select(_reached.c.released).where(_reached.c.id == row_id)).scalar())


def _columns(aim: Aim) -> dict[str, str]:
    return {"step": aim.step, "direction": aim.direction, "point": str(aim.point)}
