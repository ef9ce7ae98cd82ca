"""Who hears what: the saga's definition, as each participant knows its own part of it.

Nothing here looks at a saga from above. A participant hears an event, finds by its own wiring that it is
meant, and does its duty; that is all. Forward, it hears whoever stands before it; backward, whoever acted
behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bakeoff.outcome import Status
from bakeoff.saga import Element, Parallel, Saga, Step, Wait
from bakeoff_choreography.events import Act, Event, How, Story


class Do(StrEnum):
    """What a participant does when it hears something."""

    ACT = "act"
    UNDO = "undo"
    JOIN = "join"  #: see whether all members of a group have been heard
    MEET = "meet"  #: see whether saga and signal have both come
    EXPIRE = "expire"  #: time is up


@dataclass(frozen=True, slots=True)
class Duty:
    """Of one participant; the log knows by ``family`` whether it is done."""

    element: str
    do: Do

    @property
    def act(self) -> Act:
        """What the participant will say something about."""
        return Act.COMPENSATION if self.do is Do.UNDO else Act.ACTION


def heard(saga: Saga, event: Event) -> Duty | None:
    """Whom the event concerns.

    Raises:
        KeyError: If the saga has no such element (any more).
    """
    if event.over:
        return None
    match event.act:
        case Act.START:
            return Duty(saga.elements[0].name, Do.ACT)
        case Act.CALL:
            return Duty(event.element, Do.ACT)
        case Act.TIMER:
            return Duty(event.element, Do.EXPIRE)
        case Act.WAIT | Act.SIGNAL:
            return Duty(event.element, Do.MEET)
        case Act.COMPENSATION | Act.CANCEL:
            return _backward(saga, event)
    if group := group_of(saga, event.element):
        return Duty(group.name, Do.JOIN)
    if event.how == How.CANCELLED and answers_itself(saga, event.element):
        return None
    if event.how in (How.FAILED, How.CANCELLED):
        return _backward(saga, event)
    if event.how == How.EXHAUSTED:
        step = saga.step(event.element)
        return Duty(step.name, Do.UNDO) if step.compensation else Duty(str(step.on_exhausted), Do.ACT)
    index = saga.index_of(event.element)
    return None if saga.end_of(index) == index + 1 else Duty(saga.elements[index + 1].name, Do.ACT)


def _backward(saga: Saga, event: Event) -> Duty | None:
    if event.story.cause is None:  # an exhausted step is undone: others go on in its place
        return Duty(str(saga.step(event.element).on_exhausted), Do.ACT)
    to_undo = behind(saga, event)
    return Duty(to_undo[-1].name, Do.UNDO) if to_undo else None


def behind(saga: Saga, event: Event) -> Sequence[Step]:
    """The steps that are still to be undone when this is said, in the order in which they acted."""
    story, name = event.story, event.element
    element = saga.elements[saga.index_of(name)]
    way = _steps(saga.way_to(name, _escalated_from(saga, story, name)))
    here = [*_steps([element])]
    if event.act is Act.COMPENSATION:
        here = here[: [step.name for step in here].index(name)]
    acted = {*story.results, *story.owed}
    return [step for step in (*way, *here) if step.compensation is not None and step.name in acted]


def _escalated_from(saga: Saga, story: Story, name: str) -> str | None:
    """The exhausted step, for whoever stands on its escalation."""
    exhausted = story.exhausted
    if exhausted is None or saga.index_of(name) <= saga.index_of(exhausted):
        return None
    return exhausted


def passed_by(saga: Saga, event: Event) -> Sequence[Wait]:
    """Waits to which nobody comes any more now that this is said: a signal for them comes too late (S7)."""
    if event.act is not Act.ACTION:
        return ()
    step = element_of(saga, event.element)
    if not isinstance(step, Step) or step.on_exhausted is None:
        return ()
    if event.how == How.EXHAUSTED:
        left = saga.left_behind(step)
    elif event.how in (How.DONE, How.SKIPPED):
        left = saga.out_of_reach(step)
    else:
        return ()
    return [element for element in left if isinstance(element, Wait)]


def ending(saga: Saga, event: Event) -> Status | None:
    """What has become of the saga if nobody has anything to do after this event; ``None`` if somebody has."""
    if event.how == How.CANCELLED and answers_itself(saga, event.element):
        return None
    if heard(saga, event) is not None:
        return None
    if event.story.cause is None:
        return Status.COMPLETED
    return Status.COMPENSATION_FAILED if event.story.gave_up else Status.COMPENSATED


def group_of(saga: Saga, name: str) -> Parallel | None:
    """The group that a step is a member of."""
    element = saga.elements[saga.index_of(name)]
    return element if isinstance(element, Parallel) and element.name != name else None


def answers_itself(saga: Saga, name: str) -> bool:
    """Whether somebody is at work who will find a cancel and say what was done: a step or a group."""
    return isinstance(element_of(saga, name), Step | Parallel)


def element_of(saga: Saga, name: str) -> Element:
    """An element, or a member of a group."""
    element = saga.elements[saga.index_of(name)]
    return element if element.name == name else saga.step(name)


def _steps(elements: Iterable[Element]) -> list[Step]:
    found: list[Step] = []
    for element in elements:
        if isinstance(element, Parallel):
            found.extend(element.steps)
        elif isinstance(element, Step):
            found.append(element)
    return found
