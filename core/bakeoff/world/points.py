"""Named points of a step at which a fault can be aimed, and the hold that keeps a process there.

A point is *armed* for one saga and one call, before that call begins. The first process that reaches it
writes a row (its own process id, in a transaction of its own) and waits: whoever injects the fault sees the
row, knows which process stands there, and acts from outside. No point lies inside a transaction.

    between_steps   the engine has handed the call over; nothing of it is recorded yet
    before_effect   the attempt is recorded, the effect is not
    after_effect    the effect is committed, the engine has not been told

An engine may declare further ones: *windows* of its own worker (``bakeoff.engine.HasWindows``).
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from sqlalchemy import Connection, Engine, and_, delete, func, insert, select, update

from bakeoff.saga import Direction
from bakeoff.world import schema
from bakeoff.world.database import reading, writing

#: A process that nobody came for goes on after this long; longer than any fault takes to be injected.
HOLD_S = 60.0
_POLL_S = 0.02

_armed, _reached = schema.armed_points, schema.reached_points


class Point(StrEnum):
    """Where a process can be caught on every engine; see the module."""

    BETWEEN_STEPS = "between_steps"
    BEFORE_EFFECT = "before_effect"
    AFTER_EFFECT = "after_effect"


@dataclass(frozen=True, slots=True)
class Aim:
    """One point of one call of a saga: ``charge_payment.after_effect``, ``release_inventory.before_effect``.

    Attributes:
        step: Name of the step, also for its compensation.
        direction: ``"action"`` or ``"compensation"``.
        point: A ``Point``, or the name of a window that the engine declares.
    """

    step: str
    direction: Direction
    point: str


@dataclass(frozen=True, slots=True)
class Window:
    """A place inside an engine's own worker at which a process can be caught.

    Attributes:
        aim: The call that has just been handled, and the window's name.
        meaning: What is done and what is not yet, as one sentence.
        after: How the call must end for the window to open: with success, or with a decline.
    """

    aim: Aim
    meaning: str
    after: Literal["success", "decline"] = "success"


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


def arm_all(engine: Engine, workflow_ids: Sequence[str], aim: Aim) -> None:
    """``arm`` of many sagas, which takes as long as one."""
    columns = _columns(aim)
    with writing(engine) as tx:
        tx.execute(insert(_armed), [{"workflow_id": one, **columns, "times": 1} for one in workflow_ids])


def disarm(engine: Engine) -> None:
    """Let nobody stop at a point any more; those who stand there already go on standing."""
    with writing(engine) as tx:
        tx.execute(delete(_armed))


def reached(engine: Engine, *, after: int = 0) -> Sequence[Reached]:
    """Rows with ``id > after`` of processes that reached an armed point, oldest first."""
    query = select(_reached).where(_reached.c.id > after).order_by(_reached.c.id)
    with reading(engine) as connection:
        return [
            Reached(row.id, row.workflow_id, Aim(row.step, row.direction, row.point), row.pid, row.at)
            for row in connection.execute(query)
        ]


def release(engine: Engine, id: int) -> None:
    """Let a process go on that stands at a point."""
    with writing(engine) as tx:
        tx.execute(update(_reached).where(_reached.c.id == id).values(released=True))


def reach(engine: Engine, workflow_id: str, aim: Aim) -> None:
    """Called by the process itself: stop here if the point is armed, until released or ``HOLD_S`` is over."""
    with reading(engine) as connection:  # a point that nobody armed costs no write
        if not _open(connection, workflow_id, aim):
            return
    with writing(engine) as tx:
        row_id = _stand(tx, workflow_id, aim)
    if row_id is None:
        return
    deadline = time.monotonic() + HOLD_S
    while time.monotonic() < deadline and not _released(engine, row_id):
        time.sleep(_POLL_S)


def _open(connection: Connection, workflow_id: str, aim: Aim) -> bool:
    """Whether the point is armed for more processes than stopped there."""
    columns = _columns(aim)
    armed, stood = (
        and_(table.c.workflow_id == workflow_id, *(table.c[name] == value for name, value in columns.items()))
        for table in (_armed, _reached)
    )
    times = connection.execute(select(func.sum(_armed.c.times)).where(armed)).scalar_one()
    return bool(times) and connection.execute(select(func.count()).where(stood)).scalar_one() < times


def _stand(tx: Connection, workflow_id: str, aim: Aim) -> int | None:
    if not _open(tx, workflow_id, aim):
        return None
    row = {
        "workflow_id": workflow_id,
        **_columns(aim),
        "pid": os.getpid(),
        "at": time.time(),
        "released": False,
    }
    return int(tx.execute(insert(_reached).returning(_reached.c.id), row).scalar_one())


def _released(engine: Engine, row_id: int) -> bool:
    with reading(engine) as connection:
        return bool(connection.execute(select(_reached.c.released).where(_reached.c.id == row_id)).scalar())


def _columns(aim: Aim) -> dict[str, str]:
    return {"step": aim.step, "direction": aim.direction, "point": str(aim.point)}
