"""Places inside a service process at which it can be caught, behind a bridge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bakeoff.bridge.commands import command_of
from bakeoff.saga import Direction, Saga
from bakeoff.world.points import Aim, Window

#: The names of the windows, in the order in which they open.
TAKEN, DONE, ANSWERED = "command_taken", "command_done", "command_answered"
_MEANINGS = {
    TAKEN: "the service has taken the command and has done nothing yet",
    DONE: "the service's effect is committed, the command is not answered",
    ANSWERED: "the command is answered, its event is not published",
}


def service_windows(saga: Saga) -> Sequence[Window]:
    """Every window of every call of the saga."""
    return [window for direction in ("action", "compensation") for window in _windows(saga, direction)]


def _windows(saga: Saga, direction: Direction) -> Iterator[Window]:
    for step in saga.steps():
        function = step.action if direction == "action" else step.compensation
        if function is None or step.recorded is not True:
            continue
        names = (TAKEN, DONE, ANSWERED) if command_of(function).event else (TAKEN, DONE)
        for name in names:
            yield Window(Aim(step.name, direction, name), _MEANINGS[name])
