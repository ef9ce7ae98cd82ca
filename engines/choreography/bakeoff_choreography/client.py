"""The client: it says the first event of a saga, and hears the last."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import nats.errors
from nats.aio.msg import Msg

from bakeoff.deployment import Deployment
from bakeoff.errors import (
    ResultTimeoutError,
    ServerAwayError,
    SignalRejectedError,
    StartUnknownError,
    UnserialisableError,
    WorkflowConflictError,
    WorkflowNotFoundError,
)
from bakeoff.outcome import Description, Listed, Outcome, Status
from bakeoff.outcome import Event as Told
from bakeoff.registry import load_sagas
from bakeoff.saga import JSON, Saga, Wait
from bakeoff.telemetry import carried
from bakeoff_choreography import reading
from bakeoff_choreography.cancelling import cancelled, is_between
from bakeoff_choreography.events import Act, Event, How, Story, token_of
from bakeoff_choreography.log import SILENCES, Entry, Log
from bakeoff_choreography.wiring import ending

#: Seconds between two looks at a step that is being undone for its escalation.
_BETWEEN_S = 0.1


class ChoreographyClient:
    """See ``bakeoff.engine.EngineClient``."""

    def __init__(self, log: Log, deployment: Deployment) -> None:
        self._log = log
        self._sagas = load_sagas(deployment.sagas)
        #: ``{token of a workflow: who waits for its end}``.
        self._waiting: dict[str, set[asyncio.Future[Outcome]]] = {}
        self._looking: asyncio.Task[None] | None = None

    @classmethod
    async def connect(cls, deployment: Deployment) -> ChoreographyClient:
        """Return a client that hears what ends."""
        log = await Log.connect(deployment, "client")
        client = cls(log, deployment)
        try:
            await log.client.subscribe(f"{log.subjects.told}.*", cb=client._hear)
            await log.client.flush()
        except SILENCES as error:
            await log.close()
            raise log.away(error) from error
        client._looking = asyncio.create_task(client._look_again())
        return client

    # -- start and outcome -------------------------------------------------------------------------

    async def start(self, saga: Saga, workflow_id: str, input: JSON) -> bool:
        """Say that a saga is to begin; the log takes the first event of a workflow only once."""
        input = _plain(input, f"{workflow_id}: the input")
        story = Story(saga=saga.name, workflow_id=workflow_id, input=input, headers=carried())
        try:
            if await self._log.append(Event("", Act.START, "", story)):
                return True
            entry = await self._log.last(self._log.subjects.started(workflow_id))
        except nats.errors.MaxPayloadError as error:
            raise UnserialisableError(f"{workflow_id}: the input fits into no message: {error}") from error
        except SILENCES as error:
            away = self._log.away(error)
            raise StartUnknownError(
                f"{workflow_id}: nobody knows whether it started ({away}); repeat it"
            ) from error
        if entry is not None and _identity(entry.event.story) != _identity(story):
            raise WorkflowConflictError(f"{workflow_id} exists already with another saga or input")
        return False

    async def result(self, workflow_id: str, timeout_s: float) -> Outcome:
        """Wait for the event after which nobody has anything to do."""
        token, future = token_of(workflow_id), asyncio.get_running_loop().create_future()
        self._waiting.setdefault(token, set()).add(future)
        try:
            async with asyncio.timeout(timeout_s):
                # Heard from now on; it may have been said before. A server that is away may come back.
                with suppress(ServerAwayError):
                    if (entry := await self._last(self._log.subjects.end_of(workflow_id))) is not None:
                        return _outcome(entry.event)
                    await self._started(workflow_id)
                outcome: Outcome = await future
                return outcome
        except TimeoutError as error:
            return await self._too_late(workflow_id, timeout_s, error)
        finally:
            self._waiting[token].discard(future)
            if not self._waiting[token]:
                del self._waiting[token]

    async def _too_late(self, workflow_id: str, timeout_s: float, error: TimeoutError) -> Outcome:
        """Look once more: what is said while a connection is broken is not heard."""
        try:
            entry = await self._last(self._log.subjects.end_of(workflow_id))
        except ServerAwayError as away:
            message = f"{workflow_id}: whether it settled within {timeout_s:g} s nobody knows: {away}"
            raise ResultTimeoutError(message) from away
        if entry is not None:
            return _outcome(entry.event)
        await self._started(workflow_id)
        raise ResultTimeoutError(f"{workflow_id} has not settled within {timeout_s:g} s") from error

    async def _hear(self, message: Msg) -> None:
        token = message.subject.rpartition(".")[2]
        if token not in self._waiting:
            return
        with suppress(ValueError, TypeError, KeyError):
            event = self._log.subjects.event((message.headers or {})["Nats-Subject"], message.data)
            self._end(token, _outcome(event))

    def _end(self, token: str, outcome: Outcome) -> None:
        for future in self._waiting.get(token, ()):
            if not future.done():
                future.set_result(outcome)

    async def _look_again(self) -> None:
        """Look for all that is waited for whenever the connection is back."""
        while True:
            await self._log.back.wait()
            self._log.back.clear()
            for token in list(self._waiting):
                with suppress(ServerAwayError):
                    entry = await self._last(f"{self._log.subjects.root}.{token}.*.*.over.*")
                    if entry is not None:
                        self._end(token, _outcome(entry.event))

    # -- signals -----------------------------------------------------------------------------------

    async def signal(self, workflow_id: str, name: str, signal_id: str, payload: JSON) -> bool:
        """Say what a wait waits for, before or after the saga comes there; the log takes it once."""
        payload = _plain(payload, f"{workflow_id}: the payload")
        saga = self._saga_of(await self._started(workflow_id))
        if not any(isinstance(element, Wait) and element.name == name for element in saga.elements):
            raise SignalRejectedError(f"{workflow_id} never waits for {name!r}")
        names = self._log.subjects
        family = names.family(workflow_id, name, Act.SIGNAL)
        story = Story(saga=saga.name, workflow_id=workflow_id, results={name: payload}, signal_id=signal_id)
        given = Event(name, Act.SIGNAL, How.GIVEN, story)
        try:
            known = await self._log.last(family)
            if known is None:
                if await self._log.last(names.end_of(workflow_id)) is not None:
                    raise SignalRejectedError(f"{workflow_id} is settled: {name!r} came too late")
                if await self._log.append(given):
                    return True
                known = await self._log.last(family)
        except SILENCES as error:
            raise self._log.away(error) from error
        if known is not None and known.event.story.signal_id == signal_id:
            return False
        raise SignalRejectedError(f"{workflow_id}: {name!r} came too late")

    async def cancel(self, workflow_id: str) -> None:
        """Say in the place of whoever's turn it is that the saga goes back, if it is not too late (S9)."""
        saga = self._saga_of(await self._started(workflow_id))
        while True:
            events = [entry.event for entry in await self._history(workflow_id)]
            if is_between(saga, events):
                await asyncio.sleep(_BETWEEN_S)
                continue
            said = cancelled(saga, events)
            try:
                # Refused: somebody was faster, and it is another's turn.
                if said is None or await self._log.append(replace(said, over=ending(saga, said))):
                    return
            except SILENCES as error:
                raise self._log.away(error) from error

    # -- looking -----------------------------------------------------------------------------------

    async def describe(self, workflow_id: str) -> Description:
        """Tell where the saga is: whose turn it is after its last event."""
        started = await self._started(workflow_id)
        end = await self._last(self._log.subjects.end_of(workflow_id))
        if end is not None:
            return reading.settled(end)
        entries = await self._history(workflow_id)
        return reading.running(self._saga_of(started), entries)

    async def list_sagas(self, status: Status | None = None, limit: int = 100) -> Sequence[Listed]:
        """Read the first event of every saga, newest first, and the subjects of the last ones."""
        first = f"{self._log.subjects.root}.*.{Act.START}"
        try:
            ends = await self._log.ends()
            starts = [entry async for entry in self._log.read(first)] if await self._last(first) else []
        except SILENCES as error:
            raise self._log.away(error) from error
        return reading.listed(starts, ends, status, limit)

    async def event_history(self, workflow_id: str) -> Sequence[Told]:
        """The saga's part of the log."""
        await self._started(workflow_id)
        return [reading.told(entry) for entry in await self._history(workflow_id)]

    async def _history(self, workflow_id: str) -> list[Entry]:
        try:
            return [entry async for entry in self._log.read(self._log.subjects.all_of(workflow_id))]
        except SILENCES as error:
            raise self._log.away(error) from error

    async def _started(self, workflow_id: str) -> Entry:
        entry = await self._last(self._log.subjects.started(workflow_id))
        if entry is None:
            raise WorkflowNotFoundError(f"no saga {workflow_id!r} was started here")
        return entry

    async def _last(self, subject: str) -> Entry | None:
        try:
            return await self._log.last(subject)
        except SILENCES as error:
            raise self._log.away(error) from error

    def _saga_of(self, started: Entry) -> Saga:
        story = started.event.story
        try:
            return self._sagas[story.saga]
        except KeyError:
            raise WorkflowNotFoundError(
                f"{story.workflow_id} belongs to the saga {story.saga!r}, which this client does not know"
            ) from None

    async def close(self) -> None:
        """Close the connection."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait([self._looking])
        await self._log.close()


def _plain(value: JSON, what: str) -> JSON:
    try:
        return json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise UnserialisableError(f"{what} is not JSON: {error}") from error


def _identity(story: Story) -> tuple[str, str]:
    return story.saga, json.dumps(story.input, sort_keys=True)


def _outcome(event: Event) -> Outcome:
    assert event.over is not None
    return event.story.outcome(event.over)
