"""Places inside a worker at which it can be caught.

event_published     what a participant says of its act is in the log, what it heard is not acknowledged
failure_published   the same where it says that it failed
"""

from __future__ import annotations

from collections.abc import Sequence

from bakeoff.saga import Direction, Saga, Step
from bakeoff.world import Aim, Window
from bakeoff_choreography.events import Act, Event, How

EVENT_PUBLISHED = "event_published"
FAILURE_PUBLISHED = "failure_published"

_EVENT = "what the participant says of its act is in the log, what it heard is not acknowledged yet"
_FAILURE = "that the participant failed is in the log, what it heard is not acknowledged yet"


def windows_of(saga: Saga) -> Sequence[Window]:
    """Return the windows of every step and of every undo."""
    found: list[Window] = []
    for step in saga.steps():
        found.append(Window(Aim(step.name, "action", EVENT_PUBLISHED), _EVENT))
        if not saga.after_pivot(step.name):
            found.append(Window(Aim(step.name, "action", FAILURE_PUBLISHED), _FAILURE, after="decline"))
    undone: list[Step] = [step for step in reversed(list(saga.steps())) if step.compensation is not None]
    return [*found, *(Window(Aim(step.name, "compensation", EVENT_PUBLISHED), _EVENT) for step in undone)]


def window_of(event: Event) -> tuple[str, Direction, str] | None:
    """Step, direction and name of the window that opens when this is said."""
    if event.act is Act.COMPENSATION:
        return event.element, "compensation", EVENT_PUBLISHED
    if event.act is not Act.ACTION:
        return None
    return event.element, "action", EVENT_PUBLISHED if event.how == How.DONE else FAILURE_PUBLISHED
