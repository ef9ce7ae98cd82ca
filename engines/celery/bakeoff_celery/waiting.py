"""A wait: one chain ends here, and the signal publishes the next one.

The task of the wait parks the saga's state in the row of the signal. Whoever comes second, saga or signal,
sees the other in that row and publishes the next chain. A timeout is a delayed task that wants to win the
same row.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from celery import Celery, Task

from bakeoff.deployment import Deployment
from bakeoff.saga import JSON, Element, Saga, Wait
from bakeoff_celery import rows
from bakeoff_celery.backend import redis_of
from bakeoff_celery.canvas import forward
from bakeoff_celery.conditions import is_due
from bakeoff_celery.state import State, StepFailed, errback_name, task_id, task_name, timeout_name

if TYPE_CHECKING:
    from bakeoff_celery.tasks import Define


def register_wait(app: Celery, define: Define, deployment: Deployment, saga: Saga, wait: Wait) -> None:
    """Register the task that parks the saga and, if the wait has a timeout, the one that ends it."""

    def arrive(self: Task[Any, Any], state: State) -> None:
        key = rows.wait_key(deployment, state["id"], wait.name)
        expires_s = int(deployment.settings["result_expires"])
        if not is_due(saga, wait, state):
            close_waits(app, deployment, state["id"], (wait,))
            publish_rest(app, deployment, saga, wait, state)
            return
        row = rows.park(redis_of(app), key, state, expires_s)
        if row.ready and row.parked is not None:
            publish_rest(app, deployment, saga, wait, with_payload(row.parked, wait, row.payload))
            redis_of(app).hset(key, "published", rows.now())
        elif wait.timeout is not None and row.signal_id is None and not row.expired:
            native_id = deployment.native_id(state["id"])
            expiry = app.tasks[timeout_name(saga, wait)].s(state)
            expiry.set(task_id=task_id(native_id, f"{wait.name}:timeout"))
            expiry.set(countdown=wait.timeout.total_seconds())
            expiry.on_error(app.tasks[errback_name(saga)].s(wait.name).set(task_id=native_id))
            expiry.apply_async()

    define(task_name(saga, wait.name))(arrive)
    if wait.timeout is None:
        return
    timeout_s = wait.timeout.total_seconds()

    def time_out(self: Task[Any, Any], state: State) -> None:
        key = rows.wait_key(deployment, state["id"], wait.name)
        _, row = rows.expire(redis_of(app), key)
        if not row.expired or row.published:
            return
        if wait.on_timeout == "fail":
            raise StepFailed("WaitTimeout", f"no signal {wait.name!r} within {timeout_s} s", wait.name, False)
        publish_rest(app, deployment, saga, wait, with_payload(state, wait, None))
        redis_of(app).hset(key, "published", rows.now())

    define(timeout_name(saga, wait))(time_out)


def close_waits(app: Celery, deployment: Deployment, workflow_id: str, elements: Iterable[Element]) -> None:
    """Let nobody answer the waits among these: the saga will not come to them."""
    expires_s = int(deployment.settings["result_expires"])
    for wait in (element for element in elements if isinstance(element, Wait)):
        rows.leave_out(redis_of(app), rows.wait_key(deployment, workflow_id, wait.name), expires_s)


def with_payload(state: State, wait: Wait, payload: JSON) -> State:
    """Return the state after ``wait``, whose result is ``payload``."""
    return {**state, "results": {**state["results"], wait.name: payload}}


def publish_rest(app: Celery, deployment: Deployment, saga: Saga, wait: Wait, state: State) -> None:
    """Publish the chain that follows ``wait``."""
    _, *rest = saga.stretch(saga.index_of(wait.name))
    forward(app, deployment, saga, state, rest).apply_async()
