"""The way back: one errback that replaces itself by the undos in reverse (or by an escalation).

``compensate`` is bound, so that Celery publishes it as a task of its own; the other form of an errback runs
inside the process that handles the failure, is never retried, and its own failure is only logged.
Source: ``celery.backends.base.Backend._call_task_errbacks``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from celery import Celery, Task
from celery.canvas import Signature

from bakeoff.deployment import Deployment
from bakeoff.saga import JSON, Saga
from bakeoff_celery.canvas import become, forward
from bakeoff_celery.escalation import escalate_task, hand_over, has_gone_on
from bakeoff_celery.failure import Failure, read_failure, state_of_outcome
from bakeoff_celery.state import errback_name, escalate_name, outcome_name, undo_name
from bakeoff_celery.tasks import Define
from bakeoff_celery.undos import undo_chain, undo_task

AnyTask = Task[Any, Any]


def register_compensation(app: Celery, define: Define, deployment: Deployment, saga: Saga) -> None:
    """Register errback, undos and the task that brings the outcome."""
    define(errback_name(saga))(_compensate(app, deployment, saga))
    for name in {undo_name(saga, step) for step in saga.steps() if step.compensation}:
        define(name)(undo_task(saga))
    if saga.escalations():
        define(escalate_name(saga))(escalate_task(app, deployment, saga))
    define(outcome_name(saga), ignore_result=False)(_outcome)


def _compensate(app: Celery, deployment: Deployment, saga: Saga) -> Callable[..., Any]:
    def compensate(self: AnyTask, failed_task_id: str, element: str) -> None:
        native_id = str(self.request.id)
        known = state_of_outcome(app, native_id)
        if known == "SUCCESS" or (
            known == "COMPENSATING" and _reaches_further(app, saga, native_id, element)
        ):
            return  # a message that was delivered twice took two ways, and the other one has arrived
        failure = read_failure(app, deployment, saga, native_id, failed_task_id, element)
        if failure is None:
            # Celery 5.7 fires a chord's errbacks before it stores the failure that they are about.
            raise self.retry(countdown=0.2)
        if has_gone_on(app, deployment, saga, failure):
            return
        if failure.attempts_left:
            # Not the step gave up, but Celery on one attempt of it: killed child, refused publication.
            next_move = _again(app, deployment, saga, failure)
        elif failure.exhausted and known != "COMPENSATING" and saga.step(element).on_exhausted is not None:
            # If it has succeeded all the same, nobody knows whether it also told the next one.
            next_move = hand_over(app, deployment, saga, failure) or _again(app, deployment, saga, failure)
        else:
            self.update_state(state="COMPENSATING", meta=failure.cause)
            next_move = undo_chain(app, deployment, saga, failure)
        become(self, next_move)

    return compensate


def _reaches_further(app: Celery, saga: Saga, native_id: str, element: str) -> bool:
    """Tell whether the way back that has begun undoes everything before and in this element, and more."""
    cause: Mapping[str, Any] = app.backend.get_task_meta(native_id, cache=False)["result"]
    return saga.index_of(cause["step"]) > saga.index_of(element)


def _again(app: Celery, deployment: Deployment, saga: Saga, failure: Failure) -> Signature[Any]:
    """Return the chain that begins with another attempt."""
    rest = saga.stretch(saga.index_of(failure.element))
    return forward(
        app,
        deployment,
        saga,
        failure.state,
        rest,
        retries=failure.attempts,
        countdown_s=failure.pause_s,
    )


def _outcome(
    self: AnyTask, errors: list[str], results: dict[str, JSON], cause: dict[str, str] | None
) -> dict[str, Any]:
    if cause is None:
        return {"status": "completed", "results": results}
    status = "compensation_failed" if errors else "compensated"
    return {"status": status, "results": results, "cause": cause, "failed_compensations": errors}
