"""The undos of a saga: a task per compensation, and the chain of those that are owed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from celery import Celery, Task, chain
from celery.canvas import Signature

from bakeoff.deployment import Deployment
from bakeoff.saga import JSON, Parallel, Saga, Step
from bakeoff.world import participant_of_this_process
from bakeoff_celery.canvas import outcome
from bakeoff_celery.failure import Failure
from bakeoff_celery.limits import described, limits, soft_limit
from bakeoff_celery.state import State, StepFailed, undo_name

AnyTask = Task[Any, Any]


def undo_chain(
    app: Celery, deployment: Deployment, saga: Saga, failure: Failure, errors: Sequence[str] = ()
) -> Signature[Any]:
    """Return the undos of everything that may have happened, in reverse, and the outcome behind them.

    ``errors``: steps whose compensation has given up already.
    """
    state, results = failure.state, failure.results
    undos = [undo(app, deployment, saga, step, state, results) for step in steps_to_undo(saga, failure)]
    native_id = deployment.native_id(state["id"])
    if not undos:
        return outcome(app, saga, native_id, list(errors), results, failure.cause)
    first = undos[0].clone(args=(list(errors),))
    return chain(first, *undos[1:], outcome(app, saga, native_id, None, results, failure.cause))


def undo(
    app: Celery, deployment: Deployment, saga: Saga, step: Step, state: State, results: dict[str, JSON]
) -> Signature[Any]:
    """Return the task that undoes a step; it still lacks the list of errors, its first argument."""
    signature = app.tasks[undo_name(saga, step)].s(
        step.name, state["id"], state["input"], results.get(step.name)
    )
    return signature.set(**limits(saga, step, "compensation", deployment.settings))


def steps_to_undo(saga: Saga, failure: Failure) -> list[Step]:
    """Return what succeeded or may have had an effect and has a compensation, last one first (S3).

    The messages of a saga keep the route with which it began. A step that was left out, or that this worker's
    version has inserted meanwhile, has left no result in them: it was not made. Where the message is lost,
    nothing tells that, and a compensation without anything to undo does no harm.
    """
    results = failure.state["results"]
    acted: list[Step] = []
    for element in saga.way_to(failure.element, failure.state.get("exhausted")):
        steps = element.steps if isinstance(element, Parallel) else (element,)
        acted.extend(s for s in steps if isinstance(s, Step) and (failure.lost or s.name in results))
    failed = saga.elements[saga.index_of(failure.element)]
    members = failed.steps if isinstance(failed, Parallel) else (failed,) if isinstance(failed, Step) else ()
    acted.extend(step for step in members if step.name in failure.may_have_acted)
    return [step for step in reversed(acted) if step.compensation is not None]


def undo_task(saga: Saga) -> Callable[..., Any]:
    """Return the body of the task of a compensation."""

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
