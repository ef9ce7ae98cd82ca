"""What travels in the messages, and the names and ids of the tasks."""

from __future__ import annotations

import json
from typing import Any, NotRequired, TypedDict

from bakeoff.errors import UnserialisableError
from bakeoff.saga import JSON, Saga, Step, Wait


class State(TypedDict):
    """A saga in flight: the argument of every forward task.

    Attributes:
        exhausted: On an escalation: the step that handed over to it.
    """

    id: str
    input: JSON
    results: dict[str, JSON]
    exhausted: NotRequired[str]


class StepFailed(Exception):
    """A step gave up; its arguments are JSON, because they travel through the result backend.

    Args:
        type: Class name of the cause.
        message: Its message.
        step: Name of the step.
        doubtful: True if an attempt may have had an effect: anything but a single decline.
        exhausted: True if the last attempt that its policy allows has failed, and was not declined.
    """

    def __init__(self, type: str, message: str, step: str, doubtful: bool, exhausted: bool = False) -> None:
        super().__init__(type, message, step, doubtful, exhausted)
        self.type, self.message, self.step = type, message, step
        self.doubtful, self.exhausted = doubtful, exhausted

    def __str__(self) -> str:
        return f"{self.type}: {self.message}"


def task_name(saga: Saga, element: str) -> str:
    """Name of the task of a step, group, wait or timer, as monitors show it: ``order.charge_payment``."""
    return f"{saga.name}.{element}"


def undo_name(saga: Saga, step: Step) -> str:
    """Name of the task that undoes a step: ``order.refund_payment``."""
    return f"{saga.name}.{step.compensation_name}"


def errback_name(saga: Saga) -> str:
    """Name of the errback of every step. Step names hold no colon, so none can be called so."""
    return f"{saga.name}:compensate"


def escalate_name(saga: Saga) -> str:
    """Name of the task that begins an escalation when the exhausted step is undone."""
    return f"{saga.name}:escalate"


def outcome_name(saga: Saga) -> str:
    """Name of the task that ends what does not end with a step."""
    return f"{saga.name}:outcome"


def timeout_name(saga: Saga, wait: Wait) -> str:
    """Name of the task that ends a wait."""
    return f"{saga.name}.{wait.name}:timeout"


def task_id(native_id: str, element: str) -> str:
    """Id of the task of one element; the task that brings the outcome has the saga's own id."""
    return f"{native_id}:{element}"


def to_json(value: object, what: str) -> str:
    """Canonical JSON text; ``UnserialisableError`` for anything that JSON cannot carry."""
    try:
        return json.dumps(value, sort_keys=True, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError) as error:
        raise UnserialisableError(f"{what} is not JSON: {error}") from error


def completed(state: State) -> dict[str, Any]:
    """The outcome of a saga that went all the way, as ``Outcome.to_json`` writes it."""
    return {"status": "completed", "results": state["results"]}
