"""What travels in the messages of one saga, and the names of the actors that pass it on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NotRequired, TypedDict

from bakeoff.saga import JSON, Parallel, Saga, Step, Wait


class CauseData(TypedDict):
    """Why the forward direction ended; the fields of ``bakeoff.outcome.Cause``."""

    type: str
    message: str
    step: str


class State(TypedDict):
    """The message in flight is the saga's state; there is no other.

    Attributes:
        workflow_id: The caller's id.
        input: What the saga was started with.
        results: ``{element name: result}`` so far.
        cause: From the first undo on: why.
        errors: From the first undo on: names of the steps whose compensation gave up.
        exhausted: On an escalation: the step that handed over to it.
        headers: While it is parked at a wait: the trace context, which no message carries then.
    """

    workflow_id: str
    input: JSON
    results: dict[str, JSON]
    cause: NotRequired[CauseData]
    errors: NotRequired[list[str]]
    exhausted: NotRequired[str]
    headers: NotRequired[dict[str, str]]


def with_result(state: State, name: str, result: JSON) -> State:
    """Return the state after the element called ``name`` gave ``result``."""
    return {**state, "results": {**state["results"], name: result}}


def step_actor(saga: Saga, element: Step | Parallel | Wait) -> str:
    """Name of the actor that acts for an element of the saga."""
    return f"{saga.name}.{element.name}"


def undo_actor(saga: Saga, step: Step) -> str:
    """Name of the actor of the step's compensation: like its function, longer where steps share one."""
    sharing = [other for other in saga.steps() if other.compensation_name == step.compensation_name]
    suffix = f".{step.name}" if len(sharing) > 1 else ""
    return f"{saga.name}.{step.compensation_name}{suffix}"


# Names of elements hold no colon, so these cannot collide with them.


def finish_actor(saga: Saga) -> str:
    """Name of the actor that stores the outcome, the last one of either direction."""
    return f"{saga.name}:finish"


def compensate_actor(saga: Saga) -> str:
    """Name of the actor that a declined or exhausted step calls."""
    return f"{saga.name}:compensate"


def escalate_actor(saga: Saga) -> str:
    """Name of the actor that begins an escalation when the exhausted step is undone."""
    return f"{saga.name}:escalate"


def joined_actor(saga: Saga, group: Parallel) -> str:
    """Name of the actor that decides once every member of the group has settled."""
    return f"{saga.name}:joined.{group.name}"


def timeout_actor(saga: Saga, wait: Wait) -> str:
    """Name of the actor that a wait with a timeout schedules."""
    return f"{saga.name}:timeout.{wait.name}"


def waits_of(saga: Saga) -> Sequence[Wait]:
    """The saga's waits, in order."""
    return [element for element in saga.elements if isinstance(element, Wait)]


def element_of_actor(saga: Saga, actor_name: str) -> str | None:
    """Name of the element, step or compensation of an actor; ``None`` for ``finish`` and ``compensate``."""
    named: dict[str, Any] = {}
    for element in saga.elements:
        if isinstance(element, Step | Parallel | Wait):
            named[step_actor(saga, element)] = element.name
        if isinstance(element, Parallel):
            named[joined_actor(saga, element)] = element.name
        if isinstance(element, Wait):
            named[timeout_actor(saga, element)] = element.name
    for step in saga.steps():
        named[step_actor(saga, step)] = step.name
        if step.compensation:
            named[undo_actor(saga, step)] = step.compensation_name
    return named.get(actor_name)
