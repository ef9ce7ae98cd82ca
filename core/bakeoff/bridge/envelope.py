"""Messages as PURISTA writes them: JSON, one envelope for commands, answers and events."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from bakeoff.bridge.interface import Address
from bakeoff.errors import HandledError, MalformedMessageError
from bakeoff.saga import JSON

COMMAND = "command"
SUCCESS = "commandSuccessResponse"
ERROR = "commandErrorResponse"
CUSTOM = "customMessage"
_KINDS = frozenset({COMMAND, SUCCESS, ERROR, CUSTOM})
_PLAIN = {"contentType": "application/json", "contentEncoding": "utf-8"}
_TARGET = "invoke"
#: What an answer repeats of its command: for whom it was asked belongs to the event that the answer is, too.
_ECHOED = ("id", "correlationId", "traceId", "principalId", "tenantId")


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A sender or receiver."""

    service: str
    version: str = "1"
    target: str = _TARGET
    instance: str = ""

    def to_json(self) -> dict[str, str]:
        """As in an envelope; an instance that is not known is left out."""
        plain = {
            "serviceName": self.service,
            "serviceVersion": self.version,
            "serviceTarget": self.target,
        }
        return plain | ({"instanceId": self.instance} if self.instance else {})

    @classmethod
    def of(cls, data: Any) -> Party:
        """Reverse of ``to_json``, lenient: a message without a sender is still one."""
        data = data if isinstance(data, dict) else {}
        return cls(
            service=str(data.get("serviceName", "")),
            version=str(data.get("serviceVersion", "")),
            target=str(data.get("serviceTarget", "")),
            instance=str(data.get("instanceId", "")),
        )


def command(
    sender: Party,
    address: Address,
    payload: JSON,
    parameter: Mapping[str, JSON],
    trace: Mapping[str, str],
) -> dict[str, JSON]:
    """A command; its answer repeats ``id`` and ``correlationId``."""
    receiver = Party(service=address.service, version=address.version, target=address.command)
    return {
        **_base(trace),
        "messageType": COMMAND,
        "correlationId": str(uuid.uuid4()),
        "sender": sender.to_json(),
        "receiver": receiver.to_json(),
        # ``null`` is refused for an object: an empty one is sent.
        "payload": {"payload": {} if payload is None else payload, "parameter": dict(parameter)},
    }


def success(
    asked: Mapping[str, JSON], instance: str, result: JSON, event: str, trace: Mapping[str, str]
) -> dict[str, JSON]:
    """The answer to ``asked``; with an event's name it is one as well."""
    named = {"eventName": event} if event else {}
    return {**_answer(asked, instance, trace), **named, "messageType": SUCCESS, "payload": result}


def error(
    asked: Mapping[str, JSON], instance: str, problem: Exception, trace: Mapping[str, str]
) -> dict[str, JSON]:
    """The answer of a service that declined or failed.

    What went wrong inside stays inside PURISTA's services; ours say it, as ``data``, because retries and
    reports of a saga name the cause.
    """
    handled = isinstance(problem, HandledError)
    status = problem.status if isinstance(problem, HandledError) else 500
    said = problem.message if isinstance(problem, HandledError) else "Internal Server Error"
    data = problem.data if isinstance(problem, HandledError) else _cause(problem)
    answer = _answer(asked, instance, trace)
    payload = {"status": status, "message": said, "traceId": answer["traceId"]}
    return {
        **answer,
        "messageType": ERROR,
        "isHandledError": handled,
        "payload": payload | ({"data": data} if data is not None else {}),
    }


def custom(sender: Party, name: str, payload: JSON, trace: Mapping[str, str]) -> dict[str, JSON]:
    """An event that is nobody's answer."""
    return {
        **_base(trace),
        "messageType": CUSTOM,
        "sender": sender.to_json(),
        "eventName": name,
        "payload": payload,
    }


def written(message: Mapping[str, JSON]) -> bytes:
    """As it travels."""
    return json.dumps(message, separators=(",", ":"), allow_nan=False).encode()


def read(data: bytes) -> dict[str, Any]:
    """Reverse of ``written``; ``MalformedMessageError`` for anything that is no message of PURISTA.

    What stands before the colon of its text is the kind of mistake; only what follows is the sender's.
    """
    try:
        message = json.loads(data, parse_constant=_no_constant)
    except RecursionError:
        raise MalformedMessageError("nested too deeply") from None
    except ValueError as problem:
        raise MalformedMessageError(f"not JSON: {problem}") from None
    if not isinstance(message, dict):
        raise MalformedMessageError(f"an envelope is an object: this is of type {type(message).__name__}")
    kind = message.get("messageType")
    if not isinstance(kind, str) or kind not in _KINDS:
        shown = repr(kind) if isinstance(kind, str | None) else type(kind).__name__
        raise MalformedMessageError(f"no messageType of ours: {shown[:80]}")
    if kind == COMMAND and not isinstance(message.get("payload"), dict):
        raise MalformedMessageError("a command's payload is an object with payload and parameter")
    return message


def trace_of(message: Mapping[str, Any]) -> dict[str, str]:
    """W3C trace context in a message; empty if it has none that can be read."""
    try:
        carried = json.loads(message.get("otp") or "{}")
    except (TypeError, ValueError, RecursionError):
        return {}
    if not isinstance(carried, dict):
        return {}
    return {str(key): value for key, value in carried.items() if isinstance(value, str)}


def traced(message: Mapping[str, JSON], trace: Mapping[str, str]) -> dict[str, JSON]:
    """The message in another place of its trace."""
    return {**message, "otp": _otp(trace)}


def _no_constant(name: str) -> NoReturn:
    """``NaN`` and ``Infinity``, which Python reads, and no JSON has: no engine could carry them on."""
    raise ValueError(f"{name} is no JSON")


def _otp(trace: Mapping[str, str]) -> str:
    return json.dumps(dict(trace), separators=(",", ":"))


def _base(trace: Mapping[str, str]) -> dict[str, JSON]:
    return {
        "id": str(uuid.uuid4()),
        "timestamp": int(time.time() * 1000),
        "traceId": trace.get("traceparent", "")[3:35] or uuid.uuid4().hex,
        "otp": _otp(trace),
        **_PLAIN,
    }


def _answer(asked: Mapping[str, JSON], instance: str, trace: Mapping[str, str]) -> dict[str, JSON]:
    same = {name: asked[name] for name in _ECHOED if name in asked}
    sender = {**Party.of(asked.get("receiver")).to_json(), "instanceId": instance}
    return {**_base(trace), **same, "sender": sender, "receiver": Party.of(asked.get("sender")).to_json()}


def _cause(problem: Exception) -> dict[str, str]:
    return {"type": type(problem).__name__, "message": str(problem)}
