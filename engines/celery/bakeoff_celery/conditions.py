"""Whether an element is due, by what the message carries: the task that would act asks when it begins."""

from __future__ import annotations

from bakeoff.errors import ConditionError
from bakeoff.saga import Saga, Step, Wait
from bakeoff_celery.state import State, StepFailed


def is_due(saga: Saga, element: Step | Wait, state: State) -> bool:
    """Ask its condition; ``StepFailed``, which is not retried, if it raises."""
    try:
        return saga.is_due(element, state["input"], state["results"])
    except ConditionError as error:
        raise StepFailed(type(error).__name__, str(error), element.name, False) from error


def was_due(saga: Saga, step: Step, state: State) -> bool:
    """Tell whether a step of which nobody has heard may have been made."""
    try:
        return is_due(saga, step, state)
    except StepFailed:
        return False
