"""Places inside a Dramatiq worker at which it can be caught, found by a middleware.

    next_published      ``Pipelines`` has published the next message, this one is not acknowledged
    failure_published   the message of the failure hook is published, the failed one is not given up

Source: ``dramatiq.middleware.Pipelines``, ``Callbacks``; ``dramatiq.worker.WorkerThread.process_message``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dramatiq import Broker, Middleware
from dramatiq.broker import MessageProxy

from bakeoff.saga import Direction, Saga, Step
from bakeoff.world import Aim, Participant, Window
from bakeoff_dramatiq.state import step_actor, undo_actor

NEXT_PUBLISHED = "next_published"
FAILURE_PUBLISHED = "failure_published"

_NEXT = "the message of the next actor is published, that of this one is not acknowledged yet"
_FAILURE = "the message of the failure hook is published, the failed one is not given up yet"


def windows_of(saga: Saga) -> Sequence[Window]:
    """Return the windows of the steps that have a message of their own; members of a group share one."""
    found: list[Window] = []
    for step in saga.elements:
        if not isinstance(step, Step):
            continue
        found.append(Window(Aim(step.name, "action", NEXT_PUBLISHED), _NEXT))
        if not saga.after_pivot(step.name):
            found.append(Window(Aim(step.name, "action", FAILURE_PUBLISHED), _FAILURE, after="decline"))
    undone = [step for step in reversed(list(saga.steps())) if step.compensation is not None]
    return [*found, *(Window(Aim(step.name, "compensation", NEXT_PUBLISHED), _NEXT) for step in undone)]


class Windows(Middleware):
    """Stops in armed windows; belongs before every other middleware, whose hooks after an actor run first."""

    def __init__(self, participant: Participant) -> None:
        self._participant = participant
        self._calls: dict[str, tuple[str, Direction]] = {}
        for saga in participant.sagas.values():
            for step in saga.steps():
                self._calls[step_actor(saga, step)] = (step.name, "action")
                if step.compensation is not None:
                    self._calls[undo_actor(saga, step)] = (step.name, "compensation")

    def after_process_message(
        self,
        broker: Broker,
        message: MessageProxy,
        *,
        result: Any = None,
        exception: BaseException | None = None,
    ) -> None:
        """Everything that follows from the message is published; what remains is to acknowledge it."""
        call = self._calls.get(message.actor_name)
        if call is None or not message.args:
            return
        workflow_id = message.args[-1]["workflow_id"]
        if message.failed:
            self._participant.reach(workflow_id, *call, FAILURE_PUBLISHED)
        elif exception is None and message.options.get("pipe_target") is not None:
            self._participant.reach(workflow_id, *call, NEXT_PUBLISHED)
