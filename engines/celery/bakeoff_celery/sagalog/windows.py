"""The place inside a worker that a saga log has for its own: committed, but not published.

A process that dies there has written what is next into the log, and nobody has been told.
"""

from __future__ import annotations

from collections.abc import Sequence

from bakeoff.saga import Saga, Step
from bakeoff.world import Aim, Window

#: After a success and after a decline.
END_LOGGED, FAILURE_LOGGED = "end_logged", "failure_logged"

_END = "the end of the call and the next command are in the log, its message is not published"
_FAILURE = "the failure of the step and the first undo are in the log, its message is not published"


def windows_of(saga: Saga) -> Sequence[Window]:
    """Return the windows of the steps that are followed by something; members of a group share one end."""
    found: list[Window] = []
    for element in saga.elements:
        if not isinstance(element, Step):
            continue
        if not saga.is_last(element):
            found.append(Window(Aim(element.name, "action", END_LOGGED), _END))
        if not saga.after_pivot(element.name):
            found.append(Window(Aim(element.name, "action", FAILURE_LOGGED), _FAILURE, after="decline"))
    undone = [step for step in reversed(list(saga.steps())) if step.compensation is not None]
    return found + [Window(Aim(step.name, "compensation", END_LOGGED), _END) for step in undone]
