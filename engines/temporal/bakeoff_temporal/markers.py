"""What the server keeps of local activities: a marker for each that ended, and workflow tasks that got lost.

A worker that dies in a workflow task takes its local activities along, and whoever has the task next begins
them as if there had been no attempt. Only the event history tells, by the task that timed out.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from typing import Any, Final

from temporalio import activity
from temporalio.api.enums.v1 import EventType, TimeoutType, WorkflowTaskFailedCause
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client
from temporalio.service import RPCError

_MARKER: Final = "core_local_activity"
#: Seconds that the server gets to answer; without an answer an attempt may have been lost.
_ANSWER_S: Final = 5.0


def local_activity(event: HistoryEvent) -> dict[str, Any] | None:
    """``activity_type``, ``activity_id`` and more of a local activity that ended; ``None`` of other events.

    Source: ``temporal-sdk-core``, ``LocalActivityMarkerData``.
    """
    if event.event_type != EventType.EVENT_TYPE_MARKER_RECORDED:
        return None
    marker = event.marker_recorded_event_attributes
    if marker.marker_name != _MARKER or not marker.details["data"].payloads:
        return None
    data: dict[str, Any] = json.loads(marker.details["data"].payloads[0].data)
    return data


def task_was_lost(events: Iterable[HistoryEvent]) -> bool:
    """Whether a workflow task that had begun got lost: nobody knows how far it had come.

    A task that waited in vain in a dead worker's own queue had not begun, and a reset is no loss.
    """
    return any(_is_loss(event) for event in events)


def _is_loss(event: HistoryEvent) -> bool:
    match event.event_type:
        case EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT:
            told = event.workflow_task_timed_out_event_attributes
            return told.timeout_type == TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE
        case EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
            cause = event.workflow_task_failed_event_attributes.cause
            return cause != WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW
        case _:
            return False


async def attempted_before(client: Client, info: activity.Info) -> bool:
    """Whether a worker may have died in an attempt of this local activity; yes, if nobody can tell."""
    handle = client.get_workflow_handle(info.workflow_id or "", run_id=info.workflow_run_id)
    try:
        async with asyncio.timeout(_ANSWER_S):
            # Of several losses in a row only the first one is an event; the others are counted here.
            if (await handle.describe()).raw_description.pending_workflow_task.attempt > 1:
                return True
            return task_was_lost([event async for event in handle.fetch_history_events()])
    except (RPCError, TimeoutError):
        return True
