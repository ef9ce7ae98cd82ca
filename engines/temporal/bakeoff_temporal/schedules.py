"""Schedules of the server's own: an interval schedule per schedule of ours, and a workflow per period.

The server forms the id of a scheduled workflow of the action's id and the begin of the period; ours follows
that form (``bakeoff.schedules``). What an action cannot have is an input of its own per period: its arguments
are fixed. So the workflow derives its input from its id, where its memo says that a schedule started it.

Source: Temporal's documentation, *Schedule*; ``temporalio.client``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from temporalio.client import (
    Client,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
)
from temporalio.client import Schedule as TemporalSchedule

from bakeoff.deployment import Deployment
from bakeoff.errors import ScheduleRefusedError
from bakeoff.schedules import Schedule
from bakeoff_temporal.periods import BY_SCHEDULE

#: Memo of a schedule: ours, as JSON.
_OURS: Final = "schedule"


async def create(
    client: Client,
    deployment: Deployment,
    schedule: Schedule,
    queue: str,
    memo: Mapping[str, Any],
    task_timeout: timedelta | None,
) -> None:
    """Make it; ``memo`` and ``task_timeout`` are those that a start would give the workflow, without the
    route: that is the one of the day on which the saga begins.

    Raises:
        ScheduleRefusedError: If there is one of this id.
    """
    native_id = deployment.native_id(schedule.id)
    action = ScheduleActionStartWorkflow(
        schedule.saga,
        None,
        id=native_id,
        task_queue=queue,
        memo={**memo, BY_SCHEDULE: deployment.prefix},
        task_timeout=task_timeout,
    )
    try:
        await client.create_schedule(
            native_id,
            TemporalSchedule(
                action=action,
                spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=schedule.every)]),
                # As shipped the server skips a period whose predecessor still runs.
                policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.ALLOW_ALL),
            ),
            memo={_OURS: schedule.to_json()},
        )
    except ScheduleAlreadyRunningError as error:
        raise ScheduleRefusedError(f"there is a schedule {schedule.id} already") from error


async def listed(client: Client, deployment: Deployment) -> list[Schedule]:
    """Those that clients of this deployment made; others on the same server have no such memo, or prefix."""
    found: list[Schedule] = []
    async for one in await client.list_schedules():
        ours = await one.memo_value(_OURS, None)
        if ours is not None and one.id == deployment.native_id(ours["id"]):
            found.append(Schedule.from_json(ours))
    return sorted(found, key=lambda schedule: schedule.id)
