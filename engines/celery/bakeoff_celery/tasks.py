"""The forward tasks of one saga: a task per step, per group, per wait and per timer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from celery import Celery, Task
from celery.exceptions import Ignore

from bakeoff.deployment import Deployment
from bakeoff.errors import BusinessError
from bakeoff.saga import JSON, Parallel, Saga, Sleep, Step, Wait
from bakeoff.world import participant_of_this_process
from bakeoff_celery.conditions import is_due
from bakeoff_celery.limits import described, limits, soft_limit
from bakeoff_celery.state import State, StepFailed, completed, task_name
from bakeoff_celery.waiting import close_waits, register_wait
from bakeoff_celery.ways import may_pass

AnyTask = Task[Any, Any]
#: A decorator that registers a function as a bound task: ``define(name, **options)(function)``.
Define = Callable[..., Callable[[Callable[..., Any]], Any]]


def register_forward(app: Celery, define: Define, deployment: Deployment, saga: Saga) -> None:
    """Register the tasks of every element of ``saga``."""
    settings = deployment.settings
    for element in saga.elements:
        # The result of a way's last task is the saga's outcome; no other result is kept.
        options: dict[str, Any] = {"ignore_result": not saga.is_last(element)}
        name = task_name(saga, element.name)
        if isinstance(element, Step):
            if settings["task_retry_on_worker_lost"] and settings.applies("task_retry_on_worker_lost"):
                options |= _deaths_count(saga, element)
            define(name, **options, **limits(saga, element, "action", settings))(
                _step(deployment, saga, element)
            )
        elif isinstance(element, Sleep):
            define(name, **options)(_timer(saga, element))
        elif isinstance(element, Wait):
            register_wait(app, define, deployment, saga, element)
        else:
            define(name, **options)(_join(saga, element))
            for step in element.steps:
                limited = limits(saga, step, "action", settings)
                first = step is element.steps[0]
                define(task_name(saga, step.name), **limited)(_member(saga, step, first))


def _deaths_count(saga: Saga, step: Step) -> dict[str, Any]:
    """Celery's own retry of a task whose process was killed, ended and paced by the step's policy.

    Not for members of a group: one that fails in its parent process breaks the chord.
    """
    policy = saga.retry_of(step)
    most = policy.maximum_attempts
    return {
        "retry_on_worker_lost": True,
        "max_retries": None if most is None else most - 1,
        "default_retry_delay": policy.initial_interval.total_seconds(),
    }


def redelivered(task: AnyTask) -> bool:
    """Tell whether the broker delivered this message before: an attempt may have been lost."""
    delivery: Mapping[str, Any] = task.request.delivery_info or {}
    return bool(delivery.get("redelivered"))


def _step(deployment: Deployment, saga: Saga, step: Step) -> Callable[..., Any]:
    last = saga.is_last(step)

    def act(self: AnyTask, state: State) -> Any:
        if is_due(saga, step, state):
            state["results"][step.name] = _attempt(self, saga, step, state)
            if not may_pass(self.app, deployment, step, state["id"]):
                raise Ignore  # a copy of this message was the last to fail, and the saga goes on with that
        if step.on_exhausted is not None:
            close_waits(self.app, deployment, state["id"], saga.out_of_reach(step))
        return completed(state) if last else state

    return act


def _attempt(task: AnyTask, saga: Saga, step: Step, state: State) -> JSON:
    """Make one attempt; raise ``Retry`` for the next one or ``StepFailed`` when it was the last."""
    attempt = task.request.retries + 1
    try:
        with soft_limit():
            return participant_of_this_process().perform(
                saga.name,
                step.name,
                "action",
                workflow_id=state["id"],
                input=state["input"],
                results=state["results"],
                attempt=attempt,
            )
    except BusinessError as error:
        doubtful = attempt > 1 or redelivered(task)
        raise StepFailed(type(error).__name__, str(error), step.name, doubtful) from error
    except Exception as error:  # whatever an action raises is a fault, the soft limit among it
        timeout_s = saga.timeout_of(step).total_seconds()
        fault = StepFailed(*described(error, step.name, timeout_s), step.name, True, True)
        policy = saga.retry_of(step)
        if policy.exhausted(attempt):
            raise fault from error
        pause_s = policy.delay_after(attempt).total_seconds()
        raise task.retry(exc=fault, countdown=pause_s) from error


def _timer(saga: Saga, sleep: Sleep) -> Callable[..., Any]:
    last = saga.is_last(sleep)

    def wake(self: AnyTask, state: State) -> Any:
        # The broker held this message back: that was the sleep.
        state["results"][sleep.name] = None
        return completed(state) if last else state

    return wake


def _member(saga: Saga, step: Step, first: bool) -> Callable[..., Any]:
    def act(self: AnyTask, state: State) -> dict[str, Any]:
        """Return the failure instead of raising it, so that the chord waits for every member."""
        answer: dict[str, Any] = {"step": step.name}
        if first:  # one of them has to hand on what all of them were given
            answer["state"] = state
        try:
            if not is_due(saga, step, state):
                return answer
            return answer | {"result": _attempt(self, saga, step, state)}
        except StepFailed as failed:
            return answer | {"failed": failed.args}

    return act


def _join(saga: Saga, parallel: Parallel) -> Callable[..., Any]:
    last = saga.is_last(parallel)

    def join(self: AnyTask, members: list[dict[str, Any]] | dict[str, Any]) -> Any:
        by_name = members_by_name(members)
        for step in parallel.steps:
            if failed := by_name[step.name].get("failed"):
                raise StepFailed(*failed)
        state: State = by_name[parallel.steps[0].name]["state"]
        for step in parallel.steps:
            if "result" in by_name[step.name]:  # else it was left out
                state["results"][step.name] = by_name[step.name]["result"]
        return completed(state) if last else state

    return join


def members_by_name(members: list[dict[str, Any]] | dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what the members of a group returned, by step; a group of one is no list."""
    return {member["step"]: member for member in (members if isinstance(members, list) else [members])}
