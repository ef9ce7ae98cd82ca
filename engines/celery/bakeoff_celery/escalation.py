"""The way on from an exhausted step: its own undo, and a task that begins the escalation behind it.

The errback replaces itself by these two, or by the escalation's chain where there is nothing to undo. The
message says from then on which step was exhausted, so that nobody who fails later undoes it again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from celery import Celery, Task, chain
from celery.canvas import Signature

from bakeoff.deployment import Deployment
from bakeoff.saga import Saga
from bakeoff_celery.canvas import become, forward
from bakeoff_celery.failure import Failure, state_of_outcome
from bakeoff_celery.state import State, escalate_name
from bakeoff_celery.undos import undo, undo_chain
from bakeoff_celery.waiting import close_waits
from bakeoff_celery.ways import handed_over, may_hand_over


def hand_over(app: Celery, deployment: Deployment, saga: Saga, failure: Failure) -> Signature[Any] | None:
    """Return what follows when ``failure.element`` is exhausted and has an escalation.

    ``None`` if a copy of the step has succeeded: nothing is handed over then.
    """
    step = saga.step(failure.element)
    if not may_hand_over(app, deployment, step, failure.state["id"]):
        return None
    close_waits(app, deployment, failure.state["id"], saga.left_behind(step))
    state: State = {**failure.state, "exhausted": step.name}
    if step.compensation is None:
        return _go_on(app, deployment, saga, state)
    native_id = deployment.native_id(state["id"])
    own = undo(app, deployment, saga, step, state, failure.results).clone(args=([],))
    return chain(own, app.tasks[escalate_name(saga)].s(state, failure.cause).set(task_id=native_id))


def has_gone_on(app: Celery, deployment: Deployment, saga: Saga, failure: Failure) -> bool:
    """Tell whether this is a copy of an exhausted step that was delivered twice.

    It met the undo of that step and was declined. It must not turn the saga back beside its escalation.
    """
    if failure.exhausted or not saga.escalations():
        return False
    return handed_over(app, deployment, failure.state["id"]) == failure.element


def escalate_task(app: Celery, deployment: Deployment, saga: Saga) -> Callable[..., Any]:
    """Return the body of the task behind that undo."""

    def escalate(self: Task[Any, Any], errors: list[str], state: State, cause: dict[str, str]) -> None:
        known = state_of_outcome(app, str(self.request.id))
        if known == "SUCCESS" or (known == "COMPENSATING" and not errors):
            return  # a message that was delivered twice took two ways, and the other one has arrived
        if errors:
            # Nobody knows whether the step has acted: nothing is built on that.
            step = state.pop("exhausted")
            failure = Failure(
                element=step, state=state, cause=cause, may_have_acted=frozenset(), results=state["results"]
            )
            self.update_state(state="COMPENSATING", meta=cause)
            next_move = undo_chain(app, deployment, saga, failure, errors)
        else:
            next_move = _go_on(app, deployment, saga, state)
        become(self, next_move)

    return escalate


def _go_on(app: Celery, deployment: Deployment, saga: Saga, state: State) -> Signature[Any]:
    """Return the escalation's chain."""
    start = saga.index_of(str(saga.step(state["exhausted"]).on_exhausted))
    return forward(app, deployment, saga, state, saga.stretch(start))
