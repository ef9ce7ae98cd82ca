"""Reading: where a saga is, which there are, what happened."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from temporalio.api.enums.v1 import EventType, PendingActivityState
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import (
    WorkflowExecution,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowQueryFailedError,
)
from temporalio.converter import DataConverter
from temporalio.service import RPCError

from bakeoff.outcome import Cause, Description, Event, Listed, Status
from bakeoff.saga import JSON
from bakeoff_temporal.failures import outcome_of
from bakeoff_temporal.local import LOCAL
from bakeoff_temporal.markers import local_activity
from bakeoff_temporal.pending import in_words, next_attempt_at
from bakeoff_temporal.periods import BY_SCHEDULE, input_of

#: A query needs a worker; longer than this nobody should wait to hear that there is none.
_QUERY_PATIENCE = timedelta(seconds=2)
#: Why nobody knows where a saga of local activities is.
_IN_A_TASK = "its steps run inside a workflow task, and the server hears of them at the task's end"

Handle = WorkflowHandle[Any, Any]


async def started_with(handle: Handle) -> tuple[str, JSON]:
    """Saga name and input of an execution, from its start event."""
    async for event in handle.fetch_history_events(page_size=1):
        start = event.workflow_execution_started_event_attributes
        (value,) = await DataConverter.default.decode(start.input.payloads)
        prefix = None
        if BY_SCHEDULE in start.memo.fields:
            (prefix,) = await DataConverter.default.decode([start.memo.fields[BY_SCHEDULE]])
        return start.workflow_type.name, input_of(handle.id, prefix, value)
    raise AssertionError("an event history begins with the start")


async def describe(handle: Handle) -> Description:
    """Combine the server's pending activities with the workflow's own word; ``RPCError`` if unknown."""
    found = await handle.describe()
    if found.status is not WorkflowExecutionStatus.RUNNING:
        return await _describe_closed(handle, found)
    unknown: dict[str, str] = {}
    position: dict[str, Any] = {}
    try:
        position = await handle.query("position", rpc_timeout=_QUERY_PATIENCE)
    except (RPCError, WorkflowQueryFailedError):
        unknown["awaiting"] = "no worker answered the query"
        if await found.memo_value(LOCAL, False):
            unknown |= dict.fromkeys(("awaiting", "current_step", "attempt", "last_error"), _IN_A_TASK)
    if pauses := position.get("pauses"):
        return _between_attempts(found.workflow_type, pauses)
    if position.get("resting") is False and await found.memo_value(LOCAL, False):
        # It answered at the end of the task in which the step ran that was asked about.
        unknown |= dict.fromkeys(("current_step", "attempt", "last_error"), _IN_A_TASK)
        return Description(Status.RUNNING, found.workflow_type, unknown=unknown)
    pending = list(found.raw_description.pending_activities)
    # Of a group, the member with the most attempts is the one that people ask about.
    busiest = max(pending, key=lambda activity: activity.attempt, default=None)
    if busiest is None:
        return Description(
            Status.RUNNING,
            found.workflow_type,
            current_step=position.get("element"),
            awaiting=position.get("awaiting"),
            last_error=_failing_task(found),
            unknown=unknown,
        )
    started = busiest.state == PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
    return Description(
        Status.RUNNING,
        found.workflow_type,
        current_step=busiest.activity_type.name,
        attempt=busiest.attempt,
        next_retry_at=None if started else next_attempt_at(busiest),
        last_error=in_words(busiest.last_failure) if busiest.HasField("last_failure") else None,
        unknown=unknown,
    )


def _between_attempts(saga: str, pauses: dict[str, Any]) -> Description:
    """Of steps made locally, the one that has failed most often."""
    name, pause = max(pauses.items(), key=lambda item: int(item[1]["attempt"]))
    return Description(Status.RUNNING, saga, current_step=name, **pause)


def _failing_task(found: WorkflowExecutionDescription) -> str | None:
    """Workflow code that cannot go on, for instance because its worker does not know the saga."""
    attempt = found.raw_description.pending_workflow_task.attempt
    return f"WorkflowTaskFailed: attempt {attempt}; the worker's log tells why" if attempt > 1 else None


async def _describe_closed(handle: Handle, found: WorkflowExecution) -> Description:
    try:
        await handle.result(follow_runs=False)
    except WorkflowFailureError as error:
        outcome = outcome_of(error.cause)
        if outcome is None:
            text = f"ended from outside, without compensation: {error.cause}"
            return Description(Status.RUNNING, found.workflow_type, last_error=text)
        cause = outcome.cause or Cause("", "", "")
        return Description(outcome.status, found.workflow_type, last_error=f"{cause.type}: {cause.message}")
    return Description(Status.COMPLETED, found.workflow_type)


def list_filter(queue: str, status: Status | None) -> str:
    """A visibility query for one deployment's sagas; compensated and compensation_failed are both Failed."""
    query = f"TaskQueue = '{queue}'"
    match status:
        case Status.COMPLETED:
            query += " AND ExecutionStatus = 'Completed'"
        case Status.COMPENSATED | Status.COMPENSATION_FAILED:
            query += " AND ExecutionStatus = 'Failed'"
        case Status.RUNNING:
            query += " AND ExecutionStatus != 'Completed' AND ExecutionStatus != 'Failed'"
    return query


def listed(execution: WorkflowExecution, prefix: str) -> Listed:
    """One line of the list; the memo tells a failed compensation, which the status cannot."""
    workflow_id = execution.id.removeprefix(prefix)
    match execution.status:
        case WorkflowExecutionStatus.COMPLETED:
            status = Status.COMPLETED
        case WorkflowExecutionStatus.FAILED:
            gave_up = "status" in execution.raw_info.memo.fields
            status = Status.COMPENSATION_FAILED if gave_up else Status.COMPENSATED
        case _:
            status = Status.RUNNING  # also terminated by a human: not settled
    return Listed(workflow_id, status, execution.workflow_type, execution.start_time.timestamp())


def may_be_replaced(execution: WorkflowExecution) -> bool:
    """Whether it is a run that an operator may have reset: it ended otherwise than by its own good end."""
    match execution.status:
        case WorkflowExecutionStatus.COMPLETED | WorkflowExecutionStatus.RUNNING:
            return False
        case WorkflowExecutionStatus.FAILED:
            return "status" in execution.raw_info.memo.fields
        case _:
            return True


def event(entry: HistoryEvent) -> Event:
    """One event in a line: its kind in Temporal's words, and what it is about."""
    kind = EventType.Name(entry.event_type).removeprefix("EVENT_TYPE_").lower()
    attributes = getattr(entry, entry.WhichOneof("attributes") or "", None)
    return Event(entry.event_time.ToMicroseconds() / 1e6, kind, _detail(entry, attributes), entry.ByteSize())


def _detail(entry: HistoryEvent, attributes: Any) -> str:
    fields = {field.name for field in attributes.DESCRIPTOR.fields} if attributes is not None else set()
    words: list[str] = []
    if "activity_type" in fields:
        words.append(attributes.activity_type.name)
    if (local := local_activity(entry)) is not None:
        words.append(local["activity_type"])
    if "workflow_type" in fields:
        words.append(attributes.workflow_type.name)
    if "signal_name" in fields:
        words.append(attributes.signal_name)
    if "start_to_fire_timeout" in fields:
        words.append(f"{attributes.start_to_fire_timeout.ToMilliseconds() / 1000:g} s")
    if "scheduled_event_id" in fields and "activity_type" not in fields:
        words.append(f"of event {attributes.scheduled_event_id}")
    if "attempt" in fields and "activity_type" not in fields and attributes.attempt:
        words.append(f"attempt {attributes.attempt}")
    if "failure" in fields and attributes.HasField("failure"):
        words.append(in_words(attributes.failure))
    return ", ".join(words)
