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

from bakeoff.outcome import Cause, Outcome
from bakeoff.saga import Step

#: Types of causes that no exception of an action names.
CANCELLED: Final = "Cancelled"
WAIT_TIMEOUT: Final = "WaitTimeout"
STEP_TIMEOUT: Final = "TimeoutError"
#: The SDK's own word for a single result that is too large.
TOO_LARGE: Final = "PayloadsTooLarge"


class LocalStepError(Exception):
    """A step or an undo that the workflow made locally has failed.

    Attributes:
        cause: Failure of its last attempt.
    """

    def __init__(self, cause: BaseException) -> None:
        super().__init__(str(cause))
        self.cause = cause


#: How a step or an undo fails.
StepFailure = ActivityError | LocalStepError


def cause_of(error: StepFailure, step: Step) -> Cause:
    """Why this step ended the forward direction."""
    if was_cancelled(error):
        return Cause(CANCELLED, "cancelled by request", step.name)
    cause = error.cause
    if isinstance(cause, ApplicationError):
        return Cause(cause.type or "ApplicationError", cause.message, step.name)
    if isinstance(cause, TimeoutError):
        limit = f"start-to-close timeout of {step.timeout.total_seconds()} s"
        return Cause(STEP_TIMEOUT, f"{step.name} exceeded its {limit}", step.name)
    return Cause(type(cause or error).__name__, str(cause or error), step.name)


def was_cancelled(error: StepFailure) -> bool:
    """Whether a cancel, not the step itself, ended the retries."""
    if isinstance(error, LocalStepError):
        return False
    return error.retry_state == RetryState.CANCEL_REQUESTED or isinstance(error.cause, CancelledError)


def purely_declined(error: StepFailure) -> bool:
    """Whether every attempt was declined, so that there is nothing to compensate (S3).

    The activity puts its attempt number into the details of a decline. A decline at the first attempt
    had no attempt before it; any later one had, and that one faulted, timed out or lost its worker.
    """
    cause = error.cause
    return isinstance(cause, ApplicationError) and cause.non_retryable and tuple(cause.details) == (1,)


def exhausted(error: StepFailure) -> bool:
    """Whether its policy allowed no other attempt: neither a decline nor a cancel has ended its retries."""
    cause = error.cause
    declined = isinstance(cause, ApplicationError) and cause.non_retryable
    return not declined and not was_cancelled(error)


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
