"""Commands over core NATS, at most once: that nobody is alive is known at once, and silence says nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import nats.errors
from nats.aio.msg import Msg

from bakeoff.bridge import envelope
from bakeoff.bridge.envelope import Party
from bakeoff.bridge.interface import Address, Handler, Request, Serving
from bakeoff.bridge.naming import Subject, queue_group, served
from bakeoff.bridge.nats.connection import Connection
from bakeoff.bridge.nats.events import Events
from bakeoff.errors import CommandTimeoutError, HandledError, NotServedError, UnhandledError
from bakeoff.saga import JSON
from bakeoff.telemetry.carrying import headers_in

if TYPE_CHECKING:
    from bakeoff.telemetry.tracing import Tracing

_TOO_LARGE = "PayloadsTooLarge"
#: Of a decline that says no status.
_BAD_REQUEST = 400


class Commands:
    """Asking and answering."""

    def __init__(self, connection: Connection, events: Events, tracing: Tracing | None) -> None:
        self._connection = connection
        self._events = events
        self._tracing = tracing

    async def invoke(
        self,
        address: Address,
        payload: JSON,
        parameter: Mapping[str, JSON],
        timeout_s: float,
        trace: Mapping[str, str] | None,
    ) -> JSON:
        """Send a command and wait for its answer; errors as ``Bridge.invoke``."""
        connection = self._connection
        message = envelope.command(connection.me, address, payload, parameter, trace or {})
        subject = connection.from_me(
            "command",
            receiver_service=address.service,
            receiver_version=address.version,
            receiver_target=address.command,
        )
        try:
            answer = await connection.client.request(
                subject.under(connection.prefix),
                envelope.written(message),
                timeout=timeout_s,
                headers=dict(trace) if trace else None,
            )
        except nats.errors.NoRespondersError:
            raise NotServedError(f"nobody serves {address} on {connection.shown}") from None
        except nats.errors.MaxPayloadError:
            most = connection.client.max_payload
            raise UnhandledError(f"{address}: a command of more than {most} bytes", _TOO_LARGE) from None
        except nats.errors.TimeoutError:
            raise CommandTimeoutError(f"{address} did not answer within {timeout_s:g} s") from None
        except nats.errors.Error as error:
            raise connection.away(error) from error
        return _result(envelope.read(answer.data))

    async def serve(
        self, address: Address, handler: Handler, event: str, answered: Handler | None
    ) -> Serving:
        """Answer a command, several at a time; the answer comes first, then the event."""
        connection = self._connection

        async def answer(message: Msg) -> None:
            asked = connection.read(message.data)
            if asked is None:
                return
            if asked["messageType"] != envelope.COMMAND:
                connection.ignore(f"no command: {asked['messageType']} on the subject of {address}")
                return
            request = _request(asked, address, message.headers)
            reply = await self._handled(asked, request, handler, event)
            if message.reply:
                reply = await self._answered(message, asked, reply)
            if event and reply["messageType"] == envelope.SUCCESS:
                if answered is not None:
                    await answered(request)
                subject = _subject_of(reply, event)
                await self._events.publish(subject, reply, request.parameter.get("workflowId"))

        return await connection.subscribed(
            served(connection.prefix, address.service, address.version, address.command),
            answer,
            queue_group(address.service, address.version, address.command),
        )

    async def _handled(
        self, asked: dict[str, Any], request: Request, handler: Handler, event: str
    ) -> dict[str, JSON]:
        instance, trace = self._connection.me.instance, request.trace
        try:
            if self._tracing is None:
                result = await handler(request)
            else:
                with self._tracing.serving(request) as trace:
                    result = await handler(request)
            return envelope.success(asked, instance, result, event, trace)
        except Exception as problem:  # a service may fail with anything
            return envelope.error(asked, instance, problem, trace)

    async def _answered(self, message: Msg, asked: dict[str, Any], reply: dict[str, JSON]) -> dict[str, JSON]:
        """Send the reply, or that it is too large; return what was sent."""
        try:
            await message.respond(envelope.written(reply))
            return reply
        except nats.errors.MaxPayloadError:
            connection = self._connection
            problem = PayloadsTooLarge(f"an answer of more than {connection.client.max_payload} bytes")
            told = envelope.error(asked, connection.me.instance, problem, envelope.trace_of(reply))
            await message.respond(envelope.written(told))
            return told


class PayloadsTooLarge(Exception):
    """An answer that the server does not take; a saga's outcome names it so."""


def _subject_of(reply: Mapping[str, Any], event: str) -> Subject:
    """Under which an answer is published that is an event."""
    sender, receiver = Party.of(reply["sender"]), Party.of(reply["receiver"])
    return Subject(
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
    )


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
        status = told.get("status")
        raise HandledError(message, status if isinstance(status, int) else _BAD_REQUEST, data)
    known = data if isinstance(data, dict) else {}
    raise UnhandledError(str(known.get("message", message)), str(known.get("type", "")))
