"""Moments at which no process stands: seen in the ledger from outside, before the fault and after it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from bakeoff.nemesis import FaultMissedError
from bakeoff.saga import Saga, Sleep, Wait
from bakeoff.world import Aim, Reached, Record, World
from bakeoff_bench.crash.points import Moment
from bakeoff_bench.crash.road import failures_before, steps_before

_POLL_S = 0.01
#: Seconds that an engine is given to have taken note of what the ledger shows.
_SETTLE_WAIT_S = 0.5
#: Share of a pause or a timer that passes before the fault comes.
_SHARE = 0.4


async def until_moment(
    world: World, saga: Saga, workflow_id: str, aim: Aim, within_s: float
) -> Reached | None:
    """Wait until the saga is at ``aim``.

    Returns:
        The process that acted last for the saga; ``None`` if the saga did not get there in time.
    """
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        records = await asyncio.to_thread(world.ledger, workflow_id=workflow_id)
        if _is_there(saga, aim, records):
            await asyncio.sleep(_settle_s(saga, aim))
            pid = records[-1].pid if records else 0
            return Reached(0, workflow_id, aim, pid, time.time())
        await asyncio.sleep(_POLL_S)
    return None


def check_moment(saga: Saga, aim: Aim, records: Sequence[Record], landed_at: float) -> None:
    """See that the moment had not passed when the fault came.

    Args:
        saga: The saga.
        aim: The moment.
        records: Of the saga.
        landed_at: Unix seconds of the fault, on this machine.

    Raises:
        FaultMissedError: If the engine had gone on before.
    """
    before = [record for record in records if record.at < landed_at]
    if aim.point == Moment.WHILE_RETRYING:
        if len(_attempts(aim, before)) > failures_before(saga, aim):
            raise FaultMissedError("the next attempt came before the fault")
    elif aim.point == Moment.WHILE_WAITING:
        known = {step.name for step in steps_before(saga, aim.step)}
        if any(record.step not in known for record in before):
            raise FaultMissedError(f"{aim.step} was over before the fault")


def check_standing(at: Reached, timeout_s: float, records: Sequence[Record], landed_at: float) -> None:
    """See that the process still stood at its point when the fault came, for an engine that waited for it.

    Args:
        at: Where it stood, and since when.
        timeout_s: Start-to-close timeout of the call, in seconds.
        records: Of its saga.
        landed_at: Unix seconds of the fault, on this machine.

    Raises:
        FaultMissedError: If the call had run into its timeout, or was tried again.
    """
    if landed_at - at.at >= timeout_s:
        raise FaultMissedError(
            f"the call had stood at its point for {landed_at - at.at:.1f} s, longer than its timeout"
        )
    call = (at.aim.step, at.aim.direction)
    if any(record.call == call and at.at < record.at < landed_at for record in records):
        raise FaultMissedError("the engine had gone on with the call before the fault")


def _is_there(saga: Saga, aim: Aim, records: Sequence[Record]) -> bool:
    if aim.point == Moment.WHILE_RETRYING:
        return len(_attempts(aim, records)) >= failures_before(saga, aim)
    done = {record.step for record in records if record.kind == "effect" and record.direction == "action"}
    return all(step.name in done for step in steps_before(saga, aim.step))


def _attempts(aim: Aim, records: Sequence[Record]) -> list[Record]:
    call = (aim.step, aim.direction)
    return [record for record in records if record.kind == "attempt" and record.call == call]


def _settle_s(saga: Saga, aim: Aim) -> float:
    if aim.point == Moment.WHILE_RETRYING:
        policy = saga.retry_of(saga.step(aim.step), aim.direction)
        return _SHARE * policy.delay_after(failures_before(saga, aim)).total_seconds()
    element = saga.elements[saga.index_of(aim.step)]
    if isinstance(element, Wait):
        return _SETTLE_WAIT_S
    assert isinstance(element, Sleep)
    return min(_SETTLE_WAIT_S, _SHARE * element.duration.total_seconds())
