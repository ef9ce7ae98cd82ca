"""Events through JetStream: they lie in a stream until every durable listener has heard them.

No stream ever covers commands: its own acknowledgement would be taken for the answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

import nats.errors
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, StreamConfig
from nats.js.errors import ServiceUnavailableError

from bakeoff.bridge import envelope
from bakeoff.bridge.envelope import Party
from bakeoff.bridge.interface import Event, Listener, Serving
from bakeoff.bridge.naming import Subject, heard, snake_case
from bakeoff.bridge.nats.connection import SILENCES, Connection
from bakeoff.bridge.nats.receiving import ACK_WAIT_S, All, Pulling
from bakeoff.errors import BridgeAwayError
from bakeoff.saga import JSON

if TYPE_CHECKING:
    from bakeoff.telemetry.tracing import Tracing

#: Messages of these kinds can be events.
_EVENTS = (envelope.SUCCESS, envelope.CUSTOM)
#: Tries of an event that the stream did not take, and seconds between them.
_TRIES, _AGAIN_S = 5, 0.5
#: Seconds for which events lie in the stream: longer than any listener of ours is away.
_KEPT_S = 7 * 86_400


class Events:
    """Publishing and hearing."""

    def __init__(self, connection: Connection, tracing: Tracing | None) -> None:
        self._connection = connection
        self._tracing = tracing
        prefix = connection.prefix
        # A stream's name has fewer characters than a subject's; two prefixes must not share one.
        self._stream = f"{snake_case(prefix)}_EVENTS_{zlib.crc32(prefix.encode()):08x}".upper()
        self._known_stream: JetStreamContext | None = None
        #: Where it is said that the stream is removed for good: no subject of PURISTA's.
        self._end = f"{prefix}.bakeoff.end"
        self._hears_end = self._ended = False

    async def emit(self, name: str, payload: JSON, trace: Mapping[str, str]) -> None:
        """Publish an event of our own and wait until the stream has it."""
        subject = self._connection.from_me(envelope.CUSTOM, event=name)
        await self.publish(subject, envelope.custom(self._connection.me, name, payload, trace))

    async def publish(self, subject: Subject, message: Mapping[str, JSON], workflow_id: JSON = None) -> None:
        """Publish a message that is an event, for the saga of this id, and wait until the stream has it.

        Raises:
            BridgeAwayError: If it was tried several times in vain.
        """
        trace = envelope.trace_of(message)
        if self._tracing is None:
            await self._sent(subject, message, trace)
            return
        with self._tracing.emitting(subject.event, workflow_id, trace) as own:
            await self._sent(subject, envelope.traced(message, own), own)

    async def hear(self, name: str, listener: Listener, durable: str) -> Serving:
        """Hear an event, as a message of its own or as a command's answer."""
        subjects = [heard(self._connection.prefix, kind, name) for kind in _EVENTS]
        if durable:
            return await self._durably(name, subjects, listener, durable)

        async def take(message: Msg) -> None:
            if (event := self._event(message.data)) is not None:
                await listener(event)

        return All([await self._connection.subscribed(subject, take) for subject in subjects])

    async def forget(self) -> None:
        """Remove the stream, and every listener's place in it; none of them makes it anew."""
        client = self._connection.client
        with contextlib.suppress(*SILENCES):
            await client.publish(self._end)
            await client.jetstream().delete_stream(self._stream)

    async def _durably(self, name: str, subjects: list[str], listener: Listener, durable: str) -> Serving:
        await self._hear_end()

        async def place() -> JetStreamContext.PullSubscription:
            """The listener's place in the stream; both are made where the server has them not, or no more."""
            self._known_stream = None
            stream = await self._made()
            try:
                return await stream.pull_subscribe(
                    subjects[0],
                    f"{durable}_{snake_case(name)}",  # one listener may hear several events
                    self._stream,
                    ConsumerConfig(filter_subjects=subjects, ack_wait=ACK_WAIT_S),
                )
            except SILENCES as error:
                raise self._connection.away(error) from error

        return Pulling(name, await place(), place, self._event, listener)

    async def _hear_end(self) -> None:
        if self._hears_end:
            return

        async def end(message: Msg) -> None:
            self._ended = True

        await self._connection.subscribed(self._end, end)
        self._hears_end = True

    async def _sent(self, subject: Subject, message: Mapping[str, JSON], trace: Mapping[str, str]) -> None:
        # The stream drops what it has: an event whose acknowledgement was lost is sent again.
        headers = {**trace, "Nats-Msg-Id": uuid.uuid4().hex}
        text = envelope.written(message)
        for left in reversed(range(_TRIES)):
            try:
                stream = await self._made()
                await stream.publish(subject.under(self._connection.prefix), text, headers=headers)
                return
            except (*SILENCES, BridgeAwayError) as error:
                self._known_stream = None
                if not left:
                    if isinstance(error, BridgeAwayError):
                        raise
                    raise self._connection.away(error) from error
                await asyncio.sleep(_AGAIN_S)

    async def _made(self) -> JetStreamContext:
        """The stream, made at first use; ``BridgeAwayError`` where the server has no JetStream."""
        if self._ended:
            raise BridgeAwayError("the deployment has ended, and its events are removed")
        if self._known_stream is None:
            connection = self._connection
            context = connection.client.jetstream()
            subjects = [f"{connection.prefix}.{snake_case(kind)}.>" for kind in _EVENTS]
            try:
                config = StreamConfig(name=self._stream, subjects=subjects, max_age=_KEPT_S)
                await context.add_stream(config)
            except (ServiceUnavailableError, nats.errors.NoRespondersError) as error:
                raise BridgeAwayError(
                    f"no JetStream at {connection.shown}, which events need ({connection.words(error)}); "
                    "start nats-server with JetStream enabled"
                ) from error
            except SILENCES as error:
                raise connection.away(error) from error
            self._known_stream = context
        return self._known_stream

    def _event(self, data: bytes) -> Event | None:
        """The event that a message is; what is none is ignored and counted."""
        connection = self._connection
        message = connection.read(data)
        if message is None:
            return None
        if message["messageType"] not in _EVENTS or not message.get("eventName"):
            name = "with a name" if message.get("eventName") else "without a name"
            connection.ignore(f"no event: {message['messageType']} {name}")
            return None
        try:
            return Event(
                name=str(message["eventName"]),
                payload=message.get("payload"),
                id=str(message.get("id", "")),
                sender=Party.of(message.get("sender")).service,
                trace=envelope.trace_of(message),
            )
        except RecursionError:  # of lists where a text belongs
            connection.ignore("nested too deeply")
            return None
