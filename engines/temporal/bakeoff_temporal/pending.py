"""What the server tells about activities that have not settled yet."""

from __future__ import annotations

from temporalio.api.failure.v1 import Failure
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse

from bakeoff_temporal.failures import STEP_TIMEOUT


def faulted(description: DescribeWorkflowExecutionResponse) -> list[str]:
    """Ids of pending activities with at least one failed or timed-out attempt."""
    pending = description.pending_activities
    return [info.activity_id for info in pending if info.attempt > 1 or info.HasField("last_failure")]


def next_attempt_at(info: PendingActivityInfo) -> float | None:
    """Unix seconds of the next attempt; ``None`` while one runs or before the first."""
    if info.HasField("next_attempt_schedule_time"):
        return info.next_attempt_schedule_time.ToMicroseconds() / 1e6
    return None


def in_words(failure: Failure) -> str:
    """``"Type: message"``, as ``Description.last_error`` wants it."""
    if failure.HasField("timeout_failure_info"):
        return f"{STEP_TIMEOUT}: {failure.message}"
    return f"{failure.application_failure_info.type or 'Failure'}: {failure.message}"
