"""Between Temporal's failures and our causes and outcomes; used inside and outside workflows."""

from __future__ import annotations

from typing import Final

from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    CancelledError,
    FailureError,
    RetryState,
    TimeoutError,
)

from bakeoff.outcome import Cause, Outcome, Status

#: Type of the cause when a cancel ended the forward direction.
CANCELLED: Final = "Cancelled"
WAIT_TIMEOUT: Final = "WaitTimeout"
STEP_TIMEOUT: Final = "StepTimeout"


def cause_of(error: ActivityError, step: str) -> Cause:
    """Why the step ``step`` ended the forward direction."""
    if was_cancelled(error):
        return Cause(CANCELLED, "cancel requested", step)
    cause = error.cause
    if isinstance(cause, ApplicationError):
        return Cause(cause.type or "ApplicationError", cause.message, step)
    if isinstance(cause, TimeoutError):
        return Cause(STEP_TIMEOUT, f"{step} exceeded its timeout", step)
    return Cause(type(cause or error).__name__, str(cause or error), step)


def was_cancelled(error: ActivityError) -> bool:
    """Whether a cancel, not the step itself, ended the retries."""
    return error.retry_state is RetryState.CANCEL_REQUESTED or isinstance(error.cause, CancelledError)


def purely_declined(error: ActivityError) -> bool:
    """Whether every attempt was declined, so that there is nothing to compensate (S3).

    The activity puts its attempt number into the details of a decline. A decline at the first attempt
    had no attempt before it; any later one had, and that one faulted, timed out or lost its worker.
    """
    cause = error.cause
    return isinstance(cause, ApplicationError) and cause.non_retryable and tuple(cause.details) == (1,)


def failure_of(outcome: Outcome) -> ApplicationError:
    """What a saga that did not complete raises: Failed in the UI, with its cause and our outcome."""
    cause = outcome.cause or Cause("Unknown", "", "")
    message = f"{outcome.status} after {cause.step}: {cause.message}"
    if outcome.failed_compensations:
        message += f" (not compensated: {', '.join(outcome.failed_compensations)})"
    return ApplicationError(message, outcome.to_json(), type=cause.type, non_retryable=True)


def outcome_of(error: FailureError | BaseException | None) -> Outcome | None:
    """Reverse of ``failure_of``; ``None`` for a failure that our workflow did not raise."""
    if isinstance(error, ApplicationError) and error.details and isinstance(error.details[0], dict):
        return Outcome.from_json(error.details[0])
    return None


def completed(results: dict[str, object] | None) -> Outcome:
    """The outcome of a workflow that returned."""
    return Outcome(Status.COMPLETED, results or {})
