"""The bridge over NATS, in PURISTA's wire format: commands by request and reply, events through JetStream.

Commands are core NATS, at most once: that nobody is alive is known at once, that no answer will come is not.
Events lie in a stream until every durable listener has heard them. No stream ever covers commands: its own
acknowledgement would be taken for the answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, StreamConfig
from nats.js.errors import APIError, ServiceUnavailableError

from bakeoff.bridge import envelope
from bakeoff.bridge.envelope import Party
from bakeoff.bridge.interface import Address, Event, Handler, Listener, Request, Serving
from bakeoff.bridge.login import login_of
from bakeoff.bridge.naming import Subject, heard, queue_group, served, snake_case
from bakeoff.bridge.nats_receiving import ACK_WAIT_S, All, Pulling, Subscribed, Take
from bakeoff.credentials import hide_credentials, without_credentials
from bakeoff.errors import (
    BridgeAwayError,
    CommandTimeoutError,
    HandledError,
    MalformedMessageError,
    NotServedError,
    UnhandledError,
)
from bakeoff.saga import JSON
from bakeoff.telemetry.carrying import headers_in

if TYPE_CHECKING:
    from bakeoff.telemetry.tracing import Tracing

#: Messages of these kinds can be events.
_EVENTS = (envelope.SUCCESS, envelope.CUSTOM)
_TOO_LARGE = "PayloadsTooLarge"
#: Tries of an event that the stream did not take, and seconds between them.
_TRIES, _AGAIN_S = 5, 0.5
#: Seconds for which events lie in the stream: longer than any listener of ours is away.
_KEPT_S = 7 * 86_400
#: What the library raises when the server does not answer, or not as it should.
_SILENCES = (nats.errors.Error, APIError, OSError, TimeoutError)
_CONNECT_S = 5.0
_RECONNECT_S = 0.2

_logger = logging.getLogger(__name__)


class NatsBridge:
    """See ``bakeoff.bridge.Bridge``."""

    name = "nats"

    def __init__(
        self, client: Client, address: str, sender: str, prefix: str, tracing: Tracing | None = None
    ) -> None:
        self._client = client
        self._address = address
        self._prefix = prefix
        self._tracing = tracing
        self._me = Party(service=sender, instance=uuid.uuid4().hex)
        # A stream's name has fewer characters than a subject's; two prefixes must not share one.
        self._stream = f"{snake_case(prefix)}_EVENTS_{zlib.crc32(prefix.encode()):08x}".upper()
        #: ``{why: messages}`` that were no messages of ours.
        self.ignored: Counter[str] = Counter()
        self._known_stream: JetStreamContext | None = None

    @classmethod
    async def connect(
        cls,
        address: str,
        *,
        sender: str,
        prefix: str = "purista",
        on_closed: Callable[[], None] | None = None,
        tracing: Tracing | None = None,
    ) -> NatsBridge:
        """Connect to ``nats://[user:password@]host:port``.

        Args:
            address: With credentials, if the server wants any.
            sender: Who connects, as every message says.
            prefix: Before every subject.
            on_closed: The connection is lost for good.
            tracing: Of what is served and published.

        Raises:
            BridgeAwayError: If nobody answers there, or refuses the credentials.
        """
        told: list[Exception] = []

        async def hear(error: Exception) -> None:
            """The library would print a traceback whenever the connection breaks; the calls say it."""
            if not any("uthoriz" in str(one) for one in told):  # what follows a refusal tells less
                told[:] = [error]
            _logger.info("NATS: %s", error)

        async def close() -> None:
            if on_closed is not None:
                on_closed()

        client = Client()
        try:
            async with asyncio.timeout(_CONNECT_S):
                await client.connect(
                    **login_of(address),
                    name=sender,
                    closed_cb=close,
                    allow_reconnect=True,
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=_RECONNECT_S,  # type: ignore[arg-type] # a part of a second is taken as well
                    connect_timeout=int(_CONNECT_S),
                    error_cb=hear,
                )
        except _SILENCES as error:
            with contextlib.suppress(*_SILENCES):
                await client.close()
            # It tries again and again; why it did not succeed it only tells meanwhile.
            raise away(address, told[0] if told else error) from error
        return cls(client, address, sender, prefix, tracing)

    # -- commands ----------------------------------------------------------------------------------

    async def invoke(
        self,
        address: Address,
        payload: JSON,
        parameter: Mapping[str, JSON] | None = None,
        *,
        timeout_s: float,
        trace: Mapping[str, str] | None = None,
    ) -> JSON:
        """Send a command and wait for its answer."""
        message = envelope.command(self._me, address, payload, parameter or {}, trace or {})
        subject = Subject(
            message_type="command",
            sender_instance=self._me.instance,
            sender_service=self._me.service,
            sender_version=self._me.version,
            sender_target=self._me.target,
            receiver_service=address.service,
            receiver_version=address.version,
            receiver_target=address.command,
        )
        try:
            answer = await self._client.request(
                subject.under(self._prefix),
                envelope.written(message),
                timeout=timeout_s,
                headers=dict(trace) if trace else None,
            )
        except nats.errors.NoRespondersError:
            raise NotServedError(f"nobody serves {address} on {hide_credentials(self._address)}") from None
        except nats.errors.MaxPayloadError:
            most = self._client.max_payload
            raise UnhandledError(f"{address}: a command of more than {most} bytes", _TOO_LARGE) from None
        except nats.errors.TimeoutError:
            raise CommandTimeoutError(f"{address} did not answer within {timeout_s:g} s") from None
        except nats.errors.Error as error:
            raise away(self._address, error) from error
        return _result(envelope.read(answer.data))

    async def serve(
        self, address: Address, handler: Handler, *, event: str = "", answered: Handler | None = None
    ) -> Serving:
        """Answer a command, several at a time; the answer comes first, then the event."""

        async def answer(message: Msg) -> None:
            asked = self._read(message.data)
            if asked is None or asked["messageType"] != envelope.COMMAND:
                return
            request = _request(asked, address, message.headers)
            reply = await self._handled(asked, request, handler, event)
            if message.reply:
                try:
                    await message.respond(envelope.written(reply))
                except nats.errors.MaxPayloadError:
                    problem = PayloadsTooLarge(f"an answer of more than {self._client.max_payload} bytes")
                    reply = envelope.error(asked, self._me.instance, problem, envelope.trace_of(reply))
                    await message.respond(envelope.written(reply))
            if event and reply["messageType"] == envelope.SUCCESS:
                if answered is not None:
                    await answered(request)
                sender = Party.of(reply["sender"])
                receiver = Party.of(reply["receiver"])
                await self._publish(
                    Subject(
                        message_type=envelope.SUCCESS,
                        principal=str(reply.get("principalId") or ""),
                        tenant=str(reply.get("tenantId") or ""),
                        sender_instance=sender.instance,
                        sender_service=sender.service,
                        sender_version=sender.version,
                        sender_target=sender.target,
                        event=event,
                        receiver_instance=receiver.instance,
                        receiver_service=receiver.service,
                        receiver_version=receiver.version,
                        receiver_target=receiver.target,
                    ),
                    reply,
                    request.parameter.get("workflowId"),
                )

        return await self._subscribed(
            served(self._prefix, address.service, address.version, address.command),
            answer,
            queue_group(address.service, address.version, address.command),
        )

    async def _handled(
        self, asked: dict[str, Any], request: Request, handler: Handler, event: str
    ) -> dict[str, JSON]:
        trace = request.trace
        try:
            if self._tracing is None:
                result = await handler(request)
            else:
                with self._tracing.serving(request) as trace:
                    result = await handler(request)
            return envelope.success(asked, self._me.instance, result, event, trace)
        except Exception as problem:  # a service may fail with anything
            return envelope.error(asked, self._me.instance, problem, trace)

    # -- events ------------------------------------------------------------------------------------

    async def emit(self, name: str, payload: JSON, *, trace: Mapping[str, str] | None = None) -> None:
        """Publish an event and wait until the stream has it."""
        subject = Subject(
            message_type=envelope.CUSTOM,
            sender_instance=self._me.instance,
            sender_service=self._me.service,
            sender_version=self._me.version,
            sender_target=self._me.target,
            event=name,
        )
        await self._publish(subject, envelope.custom(self._me, name, payload, trace or {}))

    async def on_event(self, name: str, listener: Listener, *, durable: str = "") -> Serving:
        """Hear an event, as a message of its own or as a command's answer."""
        if durable:
            return await self._durably(name, listener, durable)

        async def hear(message: Msg) -> None:
            if (event := self._event(message.data)) is not None:
                await listener(event)

        subjects = [heard(self._prefix, kind, name) for kind in _EVENTS]
        return All([await self._subscribed(subject, hear) for subject in subjects])

    async def _durably(self, name: str, listener: Listener, durable: str) -> Serving:
        stream, subjects = await self._events(), [heard(self._prefix, kind, name) for kind in _EVENTS]
        try:
            subscription = await stream.pull_subscribe(
                subjects[0],
                f"{durable}_{snake_case(name)}",  # one listener may hear several events
                self._stream,
                ConsumerConfig(filter_subjects=subjects, ack_wait=ACK_WAIT_S),
            )
        except _SILENCES as error:
            raise away(self._address, error) from error
        return Pulling(subscription, self._event, listener)

    async def _publish(self, subject: Subject, message: Mapping[str, JSON], workflow_id: JSON = None) -> None:
        trace = envelope.trace_of(message)
        if self._tracing is None:
            await self._sent(subject, message, trace)
            return
        with self._tracing.emitting(subject.event, workflow_id, trace) as own:
            await self._sent(subject, envelope.traced(message, own), own)

    async def _sent(self, subject: Subject, message: Mapping[str, JSON], trace: Mapping[str, str]) -> None:
        # The stream drops what it has: an event whose acknowledgement was lost is sent again.
        headers = {**trace, "Nats-Msg-Id": uuid.uuid4().hex}
        for left in reversed(range(_TRIES)):
            try:
                stream = await self._events()
                await stream.publish(subject.under(self._prefix), envelope.written(message), headers=headers)
                return
            except (*_SILENCES, BridgeAwayError) as error:
                self._known_stream = None
                if not left:
                    if isinstance(error, BridgeAwayError):
                        raise
                    raise away(self._address, error) from error
                await asyncio.sleep(_AGAIN_S)

    async def _events(self) -> JetStreamContext:
        """The stream of events, made at first use; ``BridgeAwayError`` where the server has no JetStream."""
        if self._known_stream is None:
            context = self._client.jetstream()
            subjects = [f"{self._prefix}.{snake_case(kind)}.>" for kind in _EVENTS]
            try:
                config = StreamConfig(name=self._stream, subjects=subjects, max_age=_KEPT_S)
                await context.add_stream(config)
            except (ServiceUnavailableError, nats.errors.NoRespondersError) as error:
                raise BridgeAwayError(
                    f"no JetStream at {hide_credentials(self._address)}, which events need "
                    f"({words(error, self._address)}); start nats-server with JetStream enabled"
                ) from error
            except _SILENCES as error:
                raise away(self._address, error) from error
            self._known_stream = context
        return self._known_stream

    async def forget(self) -> None:
        """Remove the stream of events, and every listener's place in it."""
        with contextlib.suppress(*_SILENCES):
            await self._client.jetstream().delete_stream(self._stream)

    @property
    def closed(self) -> bool:
        """Whether the connection is lost for good."""
        return bool(self._client.is_closed)

    # -- what arrives ------------------------------------------------------------------------------

    async def _subscribed(self, subject: str, take: Take, queue: str = "") -> Serving:
        try:
            subscription = Subscribed(take)
            await subscription.begin(self._client, subject, queue)
            await self._client.flush(int(_CONNECT_S))  # what is sent from now on is heard
        except _SILENCES as error:
            raise away(self._address, error) from error
        return subscription

    def _read(self, data: bytes) -> dict[str, Any] | None:
        """A message of ours; what is none is ignored and counted."""
        try:
            return envelope.read(data)
        except MalformedMessageError as error:
            self.ignored[str(error).partition(":")[0][:80]] += 1
            _logger.warning("ignored on the bridge: %s", error)
            return None

    def _event(self, data: bytes) -> Event | None:
        message = self._read(data)
        if message is None or not message.get("eventName"):
            return None
        return Event(
            name=str(message["eventName"]),
            payload=message.get("payload"),
            id=str(message.get("id", "")),
            sender=Party.of(message.get("sender")).service,
            trace=envelope.trace_of(message),
        )

    async def close(self) -> None:
        """Close the connection; what is being handled is not waited for (``Serving.stop`` does that)."""
        with contextlib.suppress(*_SILENCES):
            await self._client.close()


class PayloadsTooLarge(Exception):
    """An answer that the server does not take; a saga's outcome names it so."""


def _request(asked: dict[str, Any], address: Address, headers: Mapping[str, str] | None) -> Request:
    """A command as its service reads it; a parameter that is no object counts as an empty one.

    Who does not write the trace into the envelope, as PURISTA does, may send it as a header.
    """
    parameter = asked["payload"].get("parameter")
    return Request(
        address=address,
        payload=asked["payload"].get("payload"),
        parameter=parameter if isinstance(parameter, dict) else {},
        trace=envelope.trace_of(asked) or headers_in(headers) or {},
        sender=Party.of(asked.get("sender")).service,
    )


def _result(answer: dict[str, Any]) -> JSON:
    """What an answer says: a result, or the error that it tells of."""
    payload = answer.get("payload")
    if answer["messageType"] == envelope.SUCCESS:
        return payload
    told: dict[str, Any] = payload if isinstance(payload, dict) else {}
    message, data = str(told.get("message", "")), told.get("data")
    if answer.get("isHandledError"):
        raise HandledError(message, int(told.get("status", 400)), data)
    known = data if isinstance(data, dict) else {}
    raise UnhandledError(str(known.get("message", message)), str(known.get("type", "")))


def _own_words(error: Exception) -> str:
    return str(error) or type(error).__name__


def words(error: Exception, address: str) -> str:
    """What a library says about an address, without credentials."""
    return without_credentials(" ".join(_own_words(error).split()), address)


def away(address: str, error: Exception) -> BridgeAwayError:
    """Say that nobody answers there."""
    return BridgeAwayError(f"no NATS answers at {hide_credentials(address)} ({words(error, address)})")
