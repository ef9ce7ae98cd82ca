"""How participants say something: until the log has it."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

import nats.errors

from bakeoff.outcome import Cause
from bakeoff.saga import Parallel, Saga, Step
from bakeoff_choreography.attempts import Attempts
from bakeoff_choreography.cancelling import beside
from bakeoff_choreography.events import Act, Event, How
from bakeoff_choreography.log import SILENCES, Log
from bakeoff_choreography.windows import window_of
from bakeoff_choreography.wiring import answers_itself, element_of, ending

#: Seconds between two tries to say something to a server that is away.
_AGAIN_S = 0.5

_logger = logging.getLogger(__name__)


class Voice:
    """Says things in the log, and stops in the windows behind that."""

    def __init__(self, log: Log, attempts: Attempts) -> None:
        self._log = log
        self._attempts = attempts

    async def say(self, saga: Saga, event: Event) -> None:
        """Say it, and whether the saga is over by that."""
        if event.act in (Act.ACTION, Act.COMPENSATION):
            event = replace(event, over=ending(saga, event))
        try:
            taken = await self.persistently(event)
        except nats.errors.MaxPayloadError as error:
            if event.how != How.DONE or event.act is not Act.ACTION or _is_irrevocable(saga, event.element):
                raise
            event = _too_large(event, error)
            taken = await self.persistently(replace(event, over=ending(saga, event)))
        if not taken and event.act is Act.ACTION and answers_itself(saga, event.element):
            await self._say_beside(saga, event)
        if self._attempts.participant.services.faults and (window := window_of(event)):
            reach = functools.partial(self._attempts.participant.reach, event.story.workflow_id, *window)
            await self._attempts.in_thread(reach)

    async def _say_beside(self, saga: Saga, event: Event) -> None:
        """If a cancel stands in the place, say beside it what was done."""
        family = self._log.subjects.family(event.story.workflow_id, event.element, Act.ACTION)
        entry = await self._log.last(family)
        if entry is not None and entry.event.how == How.CANCELLED:
            said = beside(entry.event, event)
            await self.persistently(replace(said, over=ending(saga, said)))

    async def persistently(self, event: Event) -> bool:
        """Say it until the log has it: ``False`` if it has it from another."""
        return await self._until_taken(event, lambda: self._log.append(event))

    async def scheduled(self, event: Event, at: float) -> None:
        """Have it said at a time (Unix seconds)."""
        await self._until_taken(event, lambda: self._log.schedule(event, at))

    @staticmethod
    async def _until_taken(event: Event, say: Callable[[], Awaitable[bool]]) -> bool:
        """Try again for as long as the server is away: what was done is not done again for that."""
        while True:
            try:
                return await say()
            except nats.errors.MaxPayloadError:
                raise
            except SILENCES as error:
                _logger.warning("%s is not in the log yet: %s", event, error or type(error).__name__)
                await asyncio.sleep(_AGAIN_S)


def _is_irrevocable(saga: Saga, name: str) -> bool:
    """Whether nothing may be undone any more: the pivot or what stands after it."""
    element = element_of(saga, name)
    steps = element.steps if isinstance(element, Parallel) else (element,)
    return any(isinstance(step, Step) and (step.pivot or saga.after_pivot(step.name)) for step in steps)


def _too_large(event: Event, error: Exception) -> Event:
    """What no message can carry is a failure of the step, which is undone."""
    name, story = event.element, event.story
    results = {key: result for key, result in story.results.items() if key != name}
    cause = Cause("UnserialisableError", f"the results so far do not fit into a message: {error}", name)
    told = replace(story, results=results, cause=cause, owed=(*story.owed, name))
    return replace(event, how=How.FAILED, over=None, story=told)
