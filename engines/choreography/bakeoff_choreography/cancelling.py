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
    """What a cancel says now; ``None`` where it comes too late (S9).

    An exhausted step that is being undone is not interrupted; whoever goes on in its place finds the cancel.
    """
    turn = turn_of(saga, events)
    if turn.duty is None or any(event.how == How.CANCELLED for event in events):
        return None
    name, story = turn.duty.element, turn.last.story
    if turn.duty.do is Do.UNDO:
        if turn.last.how != How.EXHAUSTED:
            return None
        name, story = _successor(saga, turn), replace(story, exhausted=name)
    if _is_irrevocable(saga, name):
        return None
    cause = Cause("Cancelled", "cancelled by request", name)
    return Event(name, Act.ACTION, How.CANCELLED, replace(story, cause=cause))


def is_between(saga: Saga, events: Sequence[Event]) -> bool:
    """Whether an exhausted step is being undone, and nobody will look for a cancel when it is."""
    turn = turn_of(saga, events)
    if turn.duty is None or turn.duty.do is not Do.UNDO or turn.last.how != How.EXHAUSTED:
        return False
    return not answers_itself(saga, _successor(saga, turn))


def _successor(saga: Saga, turn: Turn) -> str:
    return str(saga.step(turn.last.element).on_exhausted)


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
