"""How the way forward ends inside a workflow; neither of these ever leaves it."""

from __future__ import annotations

from bakeoff.errors import ConditionError
from bakeoff.outcome import Cause
from bakeoff.saga import JSON, Saga, Step, Wait


class Ended(Exception):
    """The forward direction has ended (S2)."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause.message)
        self.cause = cause


class Exhausted(Exception):
    """A step that has an escalation has exhausted its retries."""

    def __init__(self, step: Step, cause: Cause) -> None:
        super().__init__(cause.message)
        self.step = step
        self.cause = cause


def is_due(saga: Saga, element: Step | Wait, input: JSON, results: dict[str, JSON]) -> bool:
    """Ask a condition; it is workflow code, so a replay asks it again and hears the same.

    Raises:
        Ended: If it raises. An exception of its own would block the workflow task for ever.
    """
    try:
        return saga.is_due(element, input, results)
    except ConditionError as error:
        raise Ended(Cause(type(error).__name__, str(error), element.name)) from error
