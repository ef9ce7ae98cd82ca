"""Going on with a saga that nobody goes on with: a reset, or an end to waiting for the next attempt."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from temporalio.api.common.v1 import WorkflowExecution as Execution
from temporalio.api.enums.v1 import EventType, PendingActivityState
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import ResetActivityRequest, ResetWorkflowExecutionRequest
from temporalio.client import (
    Client,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
)

from bakeoff.errors import RedriveRefusedError
from bakeoff.outcome import Outcome, Status
from bakeoff_temporal.failures import outcome_of
from bakeoff_temporal.markers import local_activity

Handle = WorkflowHandle[Any, Any]

_GAVE_UP = (EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED, EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT)


async def redrive(client: Client, handle: Handle, workflow_id: str, step: str | None) -> str:
    """See ``bakeoff.engine.Redrives``; ``RPCError`` for whatever the server refuses."""
    found = await handle.describe()
    if found.status is WorkflowExecutionStatus.RUNNING:
        return await _hurry(client, found, workflow_id)
    outcome = await _outcome(handle, found)
    if outcome is not None and outcome.status is not Status.COMPENSATION_FAILED:
        raise RedriveRefusedError(f"{workflow_id} is {outcome.status}: there is nothing to redrive")
    events = [event async for event in handle.fetch_history_events()]
    if outcome is None:
        event_id, what = _last_task(events, workflow_id), "its last workflow task"
    else:
        steps = outcome.failed_compensations if step is None else (step,)
        event_id, undone = _before_the_undo(events, steps, workflow_id)
        what = f"before the compensation of {undone}"
    answer = await client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_execution=Execution(workflow_id=found.id, run_id=found.run_id),
            reason="redriven by an operator with bakeoff",
            workflow_task_finish_event_id=event_id,
            request_id=str(uuid.uuid4()),
            identity=client.identity,
        )
    )
    return f"reset to {what} (event {event_id}); it goes on as run {answer.run_id}"


async def _outcome(handle: Handle, found: WorkflowExecutionDescription) -> Outcome | None:
    """The outcome of a closed workflow; ``None`` if it was ended from outside."""
    if found.status is WorkflowExecutionStatus.COMPLETED:
        return Outcome(Status.COMPLETED)
    try:
        await handle.result(follow_runs=False)
    except WorkflowFailureError as error:
        return outcome_of(error.cause)
    return Outcome(Status.COMPLETED)


def _before_the_undo(
    events: Sequence[HistoryEvent], steps: Sequence[str], workflow_id: str
) -> tuple[int, str]:
    """The workflow task that ordered the first of these undos which gave up, and its step."""
    ordered = {
        event.event_id: event.activity_task_scheduled_event_attributes
        for event in events
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
    }
    for event in events:
        if (local := local_activity(event)) is not None:
            # The task that made it may have made more before: keys keep that single.
            name, _, direction = str(local["activity_id"]).rpartition(":")
            marker = event.marker_recorded_event_attributes
            if direction == "compensation" and name in steps and marker.HasField("failure"):
                return marker.workflow_task_completed_event_id, name
        if event.event_type not in _GAVE_UP:
            continue
        ended = (
            event.activity_task_failed_event_attributes
            if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED
            else event.activity_task_timed_out_event_attributes
        )
        activity = ordered[ended.scheduled_event_id]
        name, _, direction = activity.activity_id.rpartition(":")
        if direction == "compensation" and name in steps:
            return activity.workflow_task_completed_event_id, name
    raise RedriveRefusedError(f"{workflow_id}: its history holds no compensation that gave up of {steps}")


def _last_task(events: Sequence[HistoryEvent], workflow_id: str) -> int:
    """The last completed workflow task of a workflow that was ended from outside."""
    done = [e.event_id for e in events if e.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED]
    if not done:
        raise RedriveRefusedError(
            f"{workflow_id} was ended before any worker had taken it; start it under another id"
        )
    return done[-1]


async def _hurry(client: Client, found: WorkflowExecutionDescription, workflow_id: str) -> str:
    """Let activities that wait for their next attempt be tried at once, counted from one again."""
    raw = found.raw_description
    waiting = [
        info
        for info in raw.pending_activities
        if info.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED and info.attempt > 1
    ]
    if not waiting:
        attempt = raw.pending_workflow_task.attempt
        failing = f"; its workflow task fails (attempt {attempt}), so its worker has to change"
        raise RedriveRefusedError(
            f"{workflow_id} runs, and the server tries for itself whatever fails or gets lost"
            + (failing if attempt > 1 else "; is there a worker that knows its saga?")
        )
    for info in waiting:
        await client.workflow_service.reset_activity(
            ResetActivityRequest(
                namespace=client.namespace,
                execution=Execution(workflow_id=found.id, run_id=found.run_id),
                identity=client.identity,
                id=info.activity_id,
            )
        )
    names = ", ".join(info.activity_type.name for info in waiting)
    return f"{names}: the next attempt comes now, counted from one again"
