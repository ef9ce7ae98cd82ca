"""Where two or more must have come before a saga goes on, and nobody keeps count: the log does.

Whoever comes stores its own event first and then looks for those of the others. The log has one order, so the
last one sees all. Several may see all; the log takes what one of them says.
"""

from __future__ import annotations

from dataclasses import replace

from bakeoff.outcome import Cause
from bakeoff.saga import Parallel, Saga, Wait
from bakeoff_choreography.events import Act, Event, How, Story
from bakeoff_choreography.log import Log
from bakeoff_choreography.wiring import element_of


async def join(log: Log, saga: Saga, name: str, story: Story) -> Event | None:
    """The group's own event, once every member has been heard."""
    group = element_of(saga, name)
    assert isinstance(group, Parallel)
    stories: list[Story] = []
    for step in group.steps:
        entry = await log.last(log.subjects.family(story.workflow_id, step.name, Act.ACTION))
        if entry is None:
            return None
        stories.append(entry.event.story)
    results = {key: result for told in stories for key, result in told.results.items()}
    owed = tuple(dict.fromkeys(name for told in stories for name in told.owed))
    cause = next((told.cause for told in stories if told.cause is not None), None)
    how = How.DONE if cause is None else How.FAILED
    return Event(name, Act.ACTION, how, replace(story, results=results, owed=owed, cause=cause))


async def meet(log: Log, saga: Saga, name: str, story: Story) -> Event | None:
    """The wait's own event, once both the saga and the signal have come, or the time is up."""
    wait = element_of(saga, name)
    assert isinstance(wait, Wait)
    arrived = await log.last(log.subjects.family(story.workflow_id, name, Act.WAIT))
    signal = await log.last(log.subjects.family(story.workflow_id, name, Act.SIGNAL))
    if arrived is None or signal is None or signal.event.how == How.SKIPPED:
        return None
    so_far = arrived.event.story
    if signal.event.how == How.GIVEN:
        return Event(name, Act.ACTION, How.DONE, so_far.plus(name, signal.event.story.results[name]))
    if wait.on_timeout == "continue" or wait.timeout is None:
        return Event(name, Act.ACTION, How.DONE, so_far.plus(name, None))
    text = f"no signal {name!r} within {wait.timeout.total_seconds():g} s"
    return Event(name, Act.ACTION, How.FAILED, replace(so_far, cause=Cause("WaitTimeout", text, name)))
