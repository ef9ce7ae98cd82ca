"""Places inside a Celery worker at which it can be caught, found by Celery's own signals.

    next_published   ``task_postrun``: the next message of the chain is published, this one not acknowledged
    failure_stored   ``before_task_publish`` of the errback: FAILURE is stored, the errback not sent

With early acknowledgement the message is gone before its task begins, so the first one is no window then.

Source: ``celery.app.trace.build_tracer``; ``celery.backends.base.Backend.mark_as_failure``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from celery import Task, current_task, signals

from bakeoff.saga import Direction, Saga, Step
from bakeoff.settings import SettingsInForce
from bakeoff.world import Aim, Participant, Window
from bakeoff_celery.state import errback_name, task_name, undo_name

NEXT_PUBLISHED = "next_published"
FAILURE_STORED = "failure_stored"

_NEXT = "the message of the next step is published, that of this one is not acknowledged yet"
_FAILURE = "the failure of the step is stored, its errback is not sent yet"


def windows_of(saga: Saga, settings: SettingsInForce) -> Sequence[Window]:
    """Return the windows of the steps that have a message of their own; members of a group share one."""
    plain = [element for element in saga.elements if isinstance(element, Step)]
    found: list[Window] = []
    for step in plain:
        if settings["task_acks_late"] and not saga.is_last(step):
            found.append(Window(Aim(step.name, "action", NEXT_PUBLISHED), _NEXT))
        if not saga.after_pivot(step.name):
            found.append(Window(Aim(step.name, "action", FAILURE_STORED), _FAILURE, after="decline"))
    if settings["task_acks_late"]:
        undone = [step for step in reversed(list(saga.steps())) if step.compensation is not None]
        found += [Window(Aim(step.name, "compensation", NEXT_PUBLISHED), _NEXT) for step in undone]
    return found


def stop_in_windows(participant: Participant) -> None:
    """Let this pool process stop in armed windows from now on."""
    calls = _Calls(participant.sagas)

    @signals.task_postrun.connect(weak=False)
    def after_task(task: Task[Any, Any], args: Sequence[Any], state: str | None, **_: Any) -> None:
        if state == "SUCCESS" and (call := calls.of(task.name, args)) is not None:
            participant.reach(*call, NEXT_PUBLISHED)

    @signals.before_task_publish.connect(weak=False)
    def before_publication(sender: str, **_: Any) -> None:
        if sender not in calls.errbacks or not current_task:
            return
        call = calls.of(current_task.name, current_task.request.args)
        if call is not None:
            participant.reach(*call, FAILURE_STORED)


class _Calls:
    """Which call of which saga a task of the worker is."""

    def __init__(self, sagas: Mapping[str, Saga]) -> None:
        everything = [(saga, step) for saga in sagas.values() for step in saga.steps()]
        self.errbacks = {errback_name(saga) for saga in sagas.values()}
        self._steps = {task_name(saga, step.name): step.name for saga, step in everything}
        self._undos = {undo_name(saga, step) for saga, step in everything if step.compensation}

    def of(self, name: str, args: Sequence[Any] | None) -> tuple[str, str, Direction] | None:
        """``(workflow id, step, direction)`` of a task that acts or undoes; ``None`` for any other."""
        if not args:
            return None
        if name in self._steps:
            return args[0]["id"], self._steps[name], "action"
        if name in self._undos:
            return args[2], args[1], "compensation"
        return None
