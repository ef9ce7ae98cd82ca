"""What participants do: each hears an event, does its duty and says what came of it.

Only when that is stored is the event acknowledged that was heard. So a duty is done at least once; its
effect is kept single by the idempotency key, and what is said of it by the log.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from nats.aio.msg import Msg

from bakeoff.errors import BusinessError, ConditionError
from bakeoff.outcome import Cause
from bakeoff.saga import Direction, Parallel, Saga, Sleep, Step, Wait
from bakeoff.world import Participant
from bakeoff_choreography import gathering
from bakeoff_choreography.attempts import Attempts
from bakeoff_choreography.cancelling import not_begun
from bakeoff_choreography.events import Act, Event, How, Story
from bakeoff_choreography.log import SILENCES, Log
from bakeoff_choreography.voice import Voice
from bakeoff_choreography.wiring import Do, Duty, answers_itself, element_of, heard, passed_by

#: Seconds until an event comes again that nobody here understands yet.
_STRANGE_S = 5.0
#: Who hears an event so many seconds after it was said looks first whether the saga was cancelled meanwhile.
_STALE_S = 0.5
#: Signs of life within one lease.
_BEATS = 3

_logger = logging.getLogger(__name__)


class _Done(Exception):
    """The duty is done, by whomever."""


class Again(Exception):
    """The attempt failed: the event is to come once more after ``pause``."""

    def __init__(self, pause: timedelta) -> None:
        self.pause = pause


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """An event that was delivered.

    Attributes:
        attempt: Which delivery this is.
        doubtful: Whether an attempt may have been made before this one.
        at: Since when it is in the log, Unix seconds.
    """

    saga: Saga
    story: Story
    attempt: int
    doubtful: bool
    at: float


class Participants:
    """All participants of all sagas, in one process.

    Args:
        log: Where they hear and speak.
        participant: Their services.
        slots: Duties that they do at once.
        ack_wait_s: The lease of an event.
    """

    def __init__(self, log: Log, participant: Participant, slots: int, ack_wait_s: float) -> None:
        self._log = log
        self._participant = participant
        self._attempts = Attempts(participant, slots)
        self._voice = Voice(log, self._attempts)
        self._ack_wait_s = ack_wait_s

    async def hear(self, message: Msg) -> None:
        """Take one delivery.

        Raises:
            nats.errors.Error: If the server is away; the event comes again.
        """
        try:
            event = self._log.subjects.event(message.subject, message.data)
        except (ValueError, TypeError, KeyError):
            _logger.warning("no event of ours: %s", message.subject)
            await message.term()
            return
        about = message.metadata
        try:
            saga = self._participant.sagas[event.story.saga]
            duty = heard(saga, event)
        except KeyError as unknown:  # a deploy may bring it
            _logger.warning("%s: nobody here knows %s of %s", message.subject, unknown, event.story.saga)
            await message.nak(_STRANGE_S)
            return
        if duty is None:
            await message.ack()
            return
        async with self._alive(message):
            told = Heard(
                saga=saga,
                story=event.story,
                attempt=about.num_delivered,
                doubtful=about.num_delivered > 1 or about.sequence.stream <= self._log.doubt,
                at=about.timestamp.timestamp(),
            )
            for wait in passed_by(saga, event):
                await self._voice.persistently(Event(wait.name, Act.SIGNAL, How.SKIPPED, event.story))
            try:
                hands_over = event.act is Act.COMPENSATION and duty.do is Do.ACT
                said = await self._done_already(duty, told, about, look=hands_over) or await self._do(
                    duty, told
                )
            except Again as again:
                await message.nak(again.pause.total_seconds())
                return
            except _Done:
                said = None
            if said is not None:
                await self._voice.say(saga, said)
            await message.ack()

    async def _done_already(
        self, duty: Duty, told: Heard, about: Msg.Metadata, *, look: bool
    ) -> Event | None:
        """Look in the log, if there is reason to, whether somebody has done this duty or cancelled it.

        Args:
            duty, told, about: What was heard.
            look: There is reason: a cancel may have come before it was anybody's turn.

        Returns:
            What is to be said instead of doing it, if anything.

        Raises:
            _Done: If there is nothing left to do.
        """
        waited_s = time.time() - told.at
        if (
            not look
            and about.num_delivered == 1
            and about.sequence.stream > self._log.before
            and waited_s < _STALE_S
        ):
            return None
        family = self._log.subjects.family(told.story.workflow_id, duty.element, duty.act)
        entry = await self._log.last(family)
        if entry is None:
            return None
        if entry.event.how != How.CANCELLED or not answers_itself(told.saga, duty.element):
            raise _Done
        if isinstance(element_of(told.saga, duty.element), Step):
            return not_begun(duty.element, told.story, doubtful=told.doubtful)
        return None  # the members of a group go on

    @asynccontextmanager
    async def _alive(self, message: Msg) -> AsyncIterator[None]:
        """Renew the lease for as long as this lasts."""

        async def beat() -> None:
            while True:
                await asyncio.sleep(self._ack_wait_s / _BEATS)
                try:
                    await message.in_progress()
                except SILENCES as error:
                    _logger.info("no sign of life: %s", error)

        beating = asyncio.create_task(beat())
        try:
            yield
        finally:
            beating.cancel()

    # -- duties ------------------------------------------------------------------------------------

    async def _do(self, duty: Duty, told: Heard) -> Event | None:
        """Do a duty: what is to be said of it, if anything."""
        match duty.do:
            case Do.UNDO:
                return await self._undo(told, told.saga.step(duty.element))
            case Do.JOIN:
                return await gathering.join(self._log, told.saga, duty.element, told.story)
            case Do.MEET:
                return await gathering.meet(self._log, told.saga, duty.element, told.story)
        element = element_of(told.saga, duty.element)
        if duty.do is Do.EXPIRE:
            if isinstance(element, Wait):
                return Event(element.name, Act.SIGNAL, How.MISSED, told.story)
            return Event(element.name, Act.ACTION, How.DONE, told.story.plus(element.name, None))
        match element:
            case Step():
                return await self._act(told, element)
            case Parallel():
                for step in element.steps:
                    await self._voice.persistently(Event(step.name, Act.CALL, How.BEGUN, told.story))
                return None
            case Sleep():
                return await self._sleep(told, element)
            case Wait():
                return await self._wait(told, element)

    async def _act(self, told: Heard, step: Step) -> Event:
        """Attempt an action: done, skipped, failed or exhausted (S2, S3)."""
        saga, story = told.saga, told.story

        def failed(error: BaseException, *, owed: bool, how: How = How.FAILED) -> Event:
            cause = Cause(type(error).__name__, str(error), step.name)
            owes = (*story.owed, step.name) if owed else story.owed
            return Event(step.name, Act.ACTION, how, replace(story, cause=cause, owed=owes))

        def given_up(error: BaseException) -> Event:
            if step.on_exhausted is None:
                return failed(error, owed=True)
            event = failed(error, owed=False, how=How.EXHAUSTED)
            if step.compensation is not None:
                return event
            return replace(event, story=replace(event.story, cause=None, exhausted=step.name))

        try:
            if not saga.is_due(step, story.input, story.results):
                return Event(step.name, Act.ACTION, How.SKIPPED, story)
        except ConditionError as error:
            return failed(error, owed=False)
        if _is_beyond(told, step, "action"):
            return given_up(TimeoutError(f"{step.name}: attempt {told.attempt - 1} was lost with its worker"))
        try:
            result = await self._attempts.run(saga, step, "action", story, told.attempt)
        except BusinessError as error:
            return failed(error, owed=told.doubtful)
        except Exception as error:  # whatever an action raises is a fault
            _again(told, step, "action", error)
            return given_up(error)
        return Event(step.name, Act.ACTION, How.DONE, story.plus(step.name, result))

    async def _undo(self, told: Heard, step: Step) -> Event:
        """Attempt a compensation; one that gives up stops no other (S4)."""
        story = told.story
        escalates = step.on_exhausted is not None and step.name not in {*story.results, *story.owed}
        if not _is_beyond(told, step, "compensation"):
            try:
                await self._attempts.run(told.saga, step, "compensation", story, told.attempt)
            except Exception as error:  # as in _act
                _again(told, step, "compensation", error)
            else:
                if escalates:
                    story = replace(story, cause=None, exhausted=step.name)
                return Event(step.name, Act.COMPENSATION, How.DONE, story)
        return Event(
            step.name, Act.COMPENSATION, How.FAILED, replace(story, gave_up=(*story.gave_up, step.name))
        )

    async def _sleep(self, told: Heard, sleep: Sleep) -> Event | None:
        """Let the server say when the time is over, counted from the event that was heard."""
        if not sleep.duration:
            return Event(sleep.name, Act.ACTION, How.DONE, told.story.plus(sleep.name, None))
        due = told.at + sleep.duration.total_seconds()
        await self._voice.scheduled(Event(sleep.name, Act.TIMER, How.DUE, told.story), due)
        return None

    async def _wait(self, told: Heard, wait: Wait) -> Event | None:
        """Note that the saga has come here; go on if the signal was here first."""
        saga, story = told.saga, told.story
        try:
            if not saga.is_due(wait, story.input, story.results):
                # Who brings the signal now comes too late.
                await self._voice.persistently(Event(wait.name, Act.SIGNAL, How.SKIPPED, story))
                return Event(wait.name, Act.ACTION, How.SKIPPED, story)
        except ConditionError as error:
            cause = Cause(type(error).__name__, str(error), wait.name)
            return Event(wait.name, Act.ACTION, How.FAILED, replace(story, cause=cause))
        await self._voice.persistently(Event(wait.name, Act.WAIT, How.BEGUN, story))
        if wait.timeout is not None:
            due = told.at + wait.timeout.total_seconds()
            await self._voice.scheduled(Event(wait.name, Act.TIMER, How.DUE, story), due)
        return None

    def close(self) -> None:
        """Begin nothing more."""
        self._attempts.close()


def _is_beyond(told: Heard, step: Step, direction: Direction) -> bool:
    """Whether the last attempt that the policy allows was begun by somebody who never said how it went."""
    allowed = told.saga.retry_of(step, direction).maximum_attempts
    return allowed is not None and told.attempt > allowed


def _again(told: Heard, step: Step, direction: Direction, error: Exception) -> None:
    """Raise ``Again`` unless the policy is exhausted."""
    policy = told.saga.retry_of(step, direction)
    if not policy.exhausted(told.attempt):
        raise Again(policy.delay_after(told.attempt)) from error
