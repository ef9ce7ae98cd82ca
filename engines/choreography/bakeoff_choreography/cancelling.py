"""A cancel is said in the place of whoever's turn it is: the log takes what is said first.

A step that acts meanwhile is not interrupted. When it has something to say it finds the cancel in its place,
and says beside it what it did: that is what others hear, and it is undone with its result. Whoever was about
to act, or to act again, does not. A wait or timer has nothing to say, so the cancel itself is heard.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bakeoff.outcome import Cause
from bakeoff.saga import Saga
from bakeoff_choreography.events import Act, Event, How, Story
from bakeoff_choreography.wiring import Do, Duty, answers_itself, group_of, heard

#: Events beside the saga's own way: they say nothing of whose turn it is.
_BESIDE = (Act.SIGNAL, Act.TIMER)


@dataclass(frozen=True, slots=True)
class Turn:
    """Whose turn it is, and after which event; ``None`` when the saga is over."""

    duty: Duty | None
    last: Event


def turn_of(saga: Saga, events: Sequence[Event]) -> Turn:
    """Whose turn it is in a saga with these events; a group has one turn for all its members."""
    last = next(event for event in reversed(events) if event.act not in _BESIDE)
    if last.how == How.CANCELLED and answers_itself(saga, last.element):
        return Turn(Duty(last.element, Do.ACT), last)
    duty = heard(saga, last)
    if duty is not None and duty.do is Do.ACT and (group := group_of(saga, duty.element)):
        duty = Duty(group.name, Do.ACT)
    return Turn(duty, last)


def cancelled(saga: Saga, events: Sequence[Event]) -> Event | None:
    """What a cancel says now; ``None`` where it comes too late (S9)."""
    turn = turn_of(saga, events)
    if turn.duty is None or turn.duty.do is Do.UNDO or _is_irrevocable(saga, turn.duty.element):
        return None
    if any(event.how == How.CANCELLED for event in events):
        return None
    name = turn.duty.element
    cause = Cause("Cancelled", "cancelled by request", name)
    return Event(name, Act.ACTION, How.CANCELLED, replace(turn.last.story, cause=cause))


def is_between(saga: Saga, events: Sequence[Event]) -> bool:
    """Whether an exhausted step is being undone: that is not interrupted, and the saga goes on afterwards."""
    turn = turn_of(saga, events)
    return turn.duty is not None and turn.duty.do is Do.UNDO and turn.last.how == How.EXHAUSTED


def beside(cancel: Event, said: Event) -> Event:
    """What a participant says that found a cancel in the place of what it had to say."""
    owed = said.story.owed
    if said.how == How.EXHAUSTED:
        owed = (*owed, said.element)
    story = replace(said.story, cause=cancel.story.cause, owed=owed, exhausted=cancel.story.exhausted)
    return Event(said.element, Act.CANCEL, said.how, story)


def not_begun(step: str, story: Story, *, doubtful: bool) -> Event:
    """What a step says that was about to act; ``doubtful``: again."""
    owed = (*story.owed, step) if doubtful else story.owed
    return Event(step, Act.ACTION, How.FAILED, replace(story, owed=owed))


def _is_irrevocable(saga: Saga, name: str) -> bool:
    """Whether it is the pivot's turn, or that of somebody after it."""
    pivot = saga.pivot_index()
    return pivot is not None and pivot <= saga.index_of(name) < saga.end_of(pivot)
