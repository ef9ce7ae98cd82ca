"""Steps as local activities: made by the worker that has the workflow task, told to the server at its end.

What a workflow task has made is forgotten when the task gets lost, be it with its worker, or because the
server refuses the end of a workflow that has news. It is made again, and idempotency keys keep it single, as
long as the workflow takes the same way again. So where the way depends on something that the server does not
know yet, the workflow has it written down before it goes on (``recorded``):

* the failure that turns the saga around: the next attempt might succeed, on ground that is undone already;
* a signal: its update is written down with the task; later, the timeout of the wait might come first.

A cancel cannot be answered so. It stands in the history *before* what the lost task had made, and the
workflow would believe that nothing has been made. It is not answered at all.

The workflow's retries are its own: one local activity per attempt, and a durable timer between two, which is
what the SDK makes of a pause beyond ``local_retry_threshold``. A pause *inside* a workflow task would keep
signals and questions waiting, and the attempts before it would not be counted after a crash.

Source: Temporal's documentation, *Local Activities*; ``temporalio`` README, "Local Activities".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.common import RetryPolicy as TemporalRetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, FailureError

from bakeoff.saga import JSON, RetryPolicy
from bakeoff_temporal.failures import STEP_TIMEOUT, LocalStepError

#: Key of the memo that is given with the start and never changes: a worker with another setting replays too.
LOCAL: Final = "local"
#: Argument of an activity that is told its attempt, because the SDK counts only its own.
ATTEMPT: Final = "attempt"
_ONCE: Final = TemporalRetryPolicy(maximum_attempts=1)
_SHORTEST: Final = timedelta(milliseconds=1)

#: What a query tells of a step between two attempts: ``attempt``, ``next_retry_at``, ``last_error``.
Pause = dict[str, JSON]


async def attempts(
    name: str,
    activity_id: str,
    call: Mapping[str, JSON],
    limit: timedelta,
    policy: RetryPolicy,
    pausing: Callable[[Pause | None], None],
) -> JSON:
    """Make a step or an undo until it succeeds, declines, or its policy ends; for workflow code.

    Args:
        name, activity_id, call: Of the activity.
        limit: Start-to-close timeout of one attempt.
        policy: Of its retries.
        pausing: Hears of each pause, and ``None`` at its end.

    Raises:
        LocalStepError: If it declined, or its policy allows no other attempt.
    """
    attempt = 1
    while True:
        try:
            return await workflow.start_local_activity(
                name,
                {**call, ATTEMPT: attempt},
                activity_id=activity_id,
                start_to_close_timeout=limit,
                retry_policy=_ONCE,
            )
        except FailureError as error:
            # The SDK hands over what the activity raised, where one of the server would be wrapped.
            failure = error.cause or error if isinstance(error, ActivityError) else error
            if _is_final(failure) or policy.exhausted(attempt):
                raise LocalStepError(failure) from error
        pause = max(policy.delay_after(attempt), _SHORTEST)
        attempt += 1
        due = workflow.now() + pause
        pausing(
            {"attempt": attempt, "next_retry_at": due.timestamp(), "last_error": _in_words(failure, limit)}
        )
        await workflow.sleep(pause, summary=f"{name}, attempt {attempt}")
        pausing(None)


async def recorded() -> None:
    """End this workflow task, with all that it has made, and go on in another one; for workflow code."""
    await workflow.sleep(_SHORTEST)


def _is_final(failure: BaseException) -> bool:
    return isinstance(failure, ApplicationError) and failure.non_retryable


def _in_words(failure: BaseException, limit: timedelta) -> str:
    if isinstance(failure, ApplicationError):
        return f"{failure.type or 'Failure'}: {failure.message}"
    return f"{STEP_TIMEOUT}: exceeded its start-to-close timeout of {limit.total_seconds()} s"
