"""The way back: one errback that replaces itself by the undos in reverse.

``compensate`` is bound, so that Celery publishes it as a task of its own; the other form of an errback runs
inside the process that handles the failure, is never retried, and its own failure is only logged.
Source: ``celery.backends.base.Backend._call_task_errbacks``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from celery import Celery, Task, chain
from celery.exceptions import Reject
from kombu.exceptions import OperationalError

from bakeoff.deployment import Deployment
from bakeoff.saga import JSON, Parallel, Saga, Step
from bakeoff.world import participant_of_this_process
from bakeoff_celery.canvas import forward, outcome
from bakeoff_celery.failure import Failure, already_settled, read_failure
from bakeoff_celery.limits import described, limits, soft_limit
from bakeoff_celery.state import StepFailed, errback_name, outcome_name, undo_name
from bakeoff_celery.tasks import Define

AnyTask = Task[Any, Any]


def register_compensation(app: Celery, define: Define, deployment: Deployment, saga: Saga) -> None:
    """Register errback, undos and the task that brings the outcome."""
    define(errback_name(saga))(_compensate(app, deployment, saga))
    for name in {undo_name(saga, step) for step in saga.steps() if step.compensation}:
        define(name)(_undo(saga))
    define(outcome_name(saga), ignore_result=False)(_outcome)


def _compensate(app: Celery, deployment: Deployment, saga: Saga) -> Callable[..., Any]:
    def compensate(self: AnyTask, failed_task_id: str, element: str) -> None:
        native_id = str(self.request.id)
        if already_settled(app, native_id):
            return  # a message that was delivered twice took two ways, and the other one has arrived
        failure = read_failure(app, deployment, saga, native_id, failed_task_id, element)
        if failure is None:
            # Celery 5.7 fires a chord's errbacks before it stores the failure that they are about.
            raise self.retry(countdown=0.2)
        if failure.attempts_left:
            # Not the step gave up, but Celery on one attempt of it: killed child, refused publication.
            next_move = forward(
                app,
                deployment,
                saga,
                failure.state,
                saga.index_of(element),
                retries=failure.attempts,
                countdown_s=failure.pause_s,
            )
        else:
            self.update_state(state="COMPENSATING", meta=failure.cause)
            next_move = undo_chain(app, deployment, saga, failure)
        try:
            self.replace(next_move)
        except OperationalError as error:
            # Otherwise Celery would call the errback failed, and nothing would be undone.
            raise Reject(error, requeue=True) from error

    return compensate


def undo_chain(app: Celery, deployment: Deployment, saga: Saga, failure: Failure) -> Any:
    """Return the undos of everything that may have happened, in reverse, and the outcome behind them."""
    state = failure.state
    undos = [
        app.tasks[undo_name(saga, step)]
        .s(step.name, state["id"], state["input"], failure.results.get(step.name))
        .set(**limits(saga, step, "compensation", deployment.settings))
        for step in steps_to_undo(saga, failure)
    ]
    native_id = deployment.native_id(state["id"])
    if not undos:
        return outcome(app, saga, native_id, [], failure.results, failure.cause)
    first = undos[0].clone(args=([],))
    return chain(first, *undos[1:], outcome(app, saga, native_id, None, failure.results, failure.cause))


def steps_to_undo(saga: Saga, failure: Failure) -> list[Step]:
    """Return what succeeded or may have had an effect and has a compensation, last one first (S3).

    The messages of a saga keep the route with which it began. A step that this worker's version has inserted
    meanwhile has left no result in them: it was not made. Where the message is lost, nothing tells that.
    """
    index, results = saga.index_of(failure.element), failure.state["results"]
    acted: list[Step] = []
    for element in saga.elements[:index]:
        steps = element.steps if isinstance(element, Parallel) else (element,)
        acted.extend(s for s in steps if isinstance(s, Step) and (s.name in results or not results))
    failed = saga.elements[index]
    members = failed.steps if isinstance(failed, Parallel) else (failed,) if isinstance(failed, Step) else ()
    acted.extend(step for step in members if step.name in failure.may_have_acted)
    return [step for step in reversed(acted) if step.compensation is not None]


def _undo(saga: Saga) -> Callable[..., Any]:
    def undo(
        self: AnyTask, errors: list[str], name: str, workflow_id: str, input: JSON, own_result: JSON
    ) -> list[str]:
        """Undo one step; one that gives up is passed on and does not stop the others (S4)."""
        step = saga.step(name)
        attempt = self.request.retries + 1
        try:
            with soft_limit():
                participant_of_this_process().perform(
                    saga.name,
                    name,
                    "compensation",
                    workflow_id=workflow_id,
                    input=input,
                    results={},
                    attempt=attempt,
                    own_result=own_result,
                )
        except Exception as error:  # whatever a compensation raises is a fault
            policy = step.compensation_retry
            if policy.exhausted(attempt):
                return [*errors, name]
            timeout_s = step.compensation_timeout.total_seconds()
            fault = StepFailed(*described(error, step.compensation_name, timeout_s), name, True)
            raise self.retry(exc=fault, countdown=policy.delay_after(attempt).total_seconds()) from error
        return errors

    return undo


def _outcome(
    self: AnyTask, errors: list[str], results: dict[str, JSON], cause: dict[str, str] | None
) -> dict[str, Any]:
    if cause is None:
        return {"status": "completed", "results": results}
    status = "compensation_failed" if errors else "compensated"
    return {"status": status, "results": results, "cause": cause, "failed_compensations": errors}
