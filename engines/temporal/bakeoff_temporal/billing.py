"""What Temporal Cloud would bill for a workflow: *Actions*, counted from its event history.

The dev server bills nothing, and writes the same events. What leaves no event cannot be counted: queries,
heartbeats, updates that were rejected, retries of an activity that was cancelled or terminated between two
attempts, exports, schedules and surcharges of the account.

Source: Temporal's documentation, *Temporal Cloud Actions* (https://docs.temporal.io/evaluate/cloud/actions),
whose names of metrics are used here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client

NOTE: Final = (
    "Temporal Cloud's published rules, counted from the event history; "
    "queries, heartbeats and rejected signals leave no event and are missing"
)

#: ``{event type: (metric, actions)}`` of events that always count alike.
_PER_EVENT: Final = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED: ("start_workflow", 1),
    EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED: ("start_child_workflow", 2),
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED: ("update_workflow_options", 1),
    EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: ("schedule_activity", 1),
    EventType.EVENT_TYPE_TIMER_STARTED: ("start_timer", 1),
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED: ("signal_workflow", 1),
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED: ("accept_workflow_update", 1),
    EventType.EVENT_TYPE_NEXUS_OPERATION_SCHEDULED: ("schedule_nexus_operation", 1),
    EventType.EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUESTED: ("request_nexus_operation_cancellation", 1),
}
#: The search attribute of versioning is free.
_FREE_ATTRIBUTES: Final = {"TemporalChangeVersion"}
#: Retries of local activities that one workflow task may cost at most.
_MOST_LOCAL_RETRIES: Final = 100


async def actions_of(client: Client, native_id: str) -> dict[str, int]:
    """``{metric: actions}`` of a workflow, with the runs that a reset replaced.

    A reset copies events into a new run; they were billed in the run from which they come.
    """
    counted: Counter[str] = Counter()
    run_id: str | None = None
    while True:
        handle = client.get_workflow_handle(native_id, run_id=run_id)
        events = [event async for event in handle.fetch_history_events()]
        resets = [index for index, event in enumerate(events) if _is_reset(event)]
        if not resets:
            return dict(counted + actions_in(events))
        counted += actions_in(events[resets[-1] :])
        run_id = events[resets[-1]].workflow_task_failed_event_attributes.base_run_id


def actions_in(events: Sequence[HistoryEvent]) -> Counter[str]:
    """``{metric: actions}`` of these events of one run."""
    counted: Counter[str] = Counter()
    tasks_with_markers: set[int] = set()
    for event in events:
        if event.event_type in _PER_EVENT:
            metric, actions = _PER_EVENT[event.event_type]
            counted[metric] += actions
        match event.event_type:
            case EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
                # Written when the activity has ended; the attempts before the last leave no event.
                counted["retry_activity"] += event.activity_task_started_event_attributes.attempt - 1
            case EventType.EVENT_TYPE_MARKER_RECORDED:
                # All that one workflow task records cost one action.
                tasks_with_markers.add(
                    event.marker_recorded_event_attributes.workflow_task_completed_event_id
                )
            case EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
                told = event.workflow_task_completed_event_attributes.metering_metadata
                retries = told.nonfirst_local_activity_execution_attempts
                counted["retry_activity_local"] += min(retries, _MOST_LOCAL_RETRIES)
            case EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
                told_fields = event.upsert_workflow_search_attributes_event_attributes.search_attributes
                costs = not _FREE_ATTRIBUTES.issuperset(told_fields.indexed_fields)
                counted["upsert_workflow_search_attributes"] += costs
            case EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED if _is_reset(event):
                counted["reset_workflow"] += 1
    counted["record_activity_markers"] += len(tasks_with_markers)
    return +counted


def _is_reset(event: HistoryEvent) -> bool:
    return (
        event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
        and event.workflow_task_failed_event_attributes.cause
        == WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW
    )
