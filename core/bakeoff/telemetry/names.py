"""How spans and their attributes are called: the same on every engine.

Source: OpenTelemetry's semantic conventions for messaging and RPC (1.40); ``bakeoff.*`` is what they have no
word for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from bakeoff.bridge.interface import Address
from bakeoff.deployment import Deployment
from bakeoff.errors import HandledError
from bakeoff.saga import JSON, Call

Attributes = dict[str, str | int]

WORKFLOW_ID: Final = "bakeoff.workflow_id"
SAGA: Final = "bakeoff.saga"
STEP: Final = "bakeoff.step"
DIRECTION: Final = "bakeoff.direction"
ATTEMPT: Final = "bakeoff.attempt"
ENGINE: Final = "bakeoff.engine"
OUTCOME: Final = "bakeoff.outcome"
#: ``carried``: the engine brought the saga's context to the step; ``derived``: it got lost, and the trace was
#: found by the workflow id.
CONTEXT: Final = "bakeoff.context"
ERROR_TYPE: Final = "error.type"
_SYSTEM: Final = "messaging.system"
_OPERATION: Final = "messaging.operation.name"
_OPERATION_TYPE: Final = "messaging.operation.type"
_DESTINATION: Final = "messaging.destination.name"
_RPC_SYSTEM: Final = "rpc.system.name"
_RPC_METHOD: Final = "rpc.method"

_SYSTEMS = {"amqp": "rabbitmq", "amqps": "rabbitmq", "rediss": "redis", "valkey": "redis", "tls": "nats"}


def engine_attributes(deployment: Deployment) -> Attributes:
    """What every span of a client or worker says of its engine."""
    scheme = urlsplit(deployment.addresses.get("broker", "")).scheme
    # Without a broker the engine is what carries messages.
    return {ENGINE: deployment.engine, _SYSTEM: _SYSTEMS.get(scheme, scheme) or deployment.engine}


def saga_name(saga: str) -> str:
    """Of the span from a saga's start to its outcome."""
    return f"saga {saga}"


def saga_attributes(saga: str, workflow_id: str) -> Attributes:
    """What is known at the start."""
    return {
        SAGA: saga,
        WORKFLOW_ID: workflow_id,
        _OPERATION: "start",
        _OPERATION_TYPE: "send",
    }


def step_name(call: Call) -> str:
    """Of the span of one attempt."""
    return f"{'step' if call.direction == 'action' else 'undo'} {call.step}"


def step_attributes(saga: str, call: Call) -> Attributes:
    """Of one attempt, as the engine counts."""
    return {
        SAGA: saga,
        **call_attributes(call.workflow_id, call.step, call.direction, call.attempt),
        _OPERATION: "process",
        _OPERATION_TYPE: "process",
    }


def call_attributes(workflow_id: str, step: str, direction: str, attempt: int) -> Attributes:
    """Which attempt of which call of which saga."""
    return {WORKFLOW_ID: workflow_id, STEP: step, DIRECTION: direction, ATTEMPT: attempt}


def command_name(address: Address, verb: str) -> str:
    """Of the span of a command, as whoever asks (``command``) or whoever is asked (``serve``) sees it."""
    return f"{verb} {address.service}.{address.command}"


def command_attributes(address: Address, bridge: str) -> Attributes:
    """The same on both sides."""
    return {_RPC_SYSTEM: bridge, _RPC_METHOD: f"{address.service}.{address.version}/{address.command}"}


def parameter_attributes(parameter: Mapping[str, JSON]) -> Attributes:
    """What a command says of the call that it is sent for; nothing if it comes from no saga."""
    if "workflowId" not in parameter:
        return {}
    return call_attributes(
        str(parameter["workflowId"]),
        str(parameter.get("step", "")),
        str(parameter.get("direction", "action")),
        int(parameter.get("attempt", 1)),
    )


def event_attributes(event: str, bridge: str, operation: str, workflow_id: JSON) -> Attributes:
    """Of an event that is published (``send``) or heard (``process``); of a saga, if it is known of which."""
    return {
        _SYSTEM: bridge,
        _DESTINATION: event,
        _OPERATION: operation,
        _OPERATION_TYPE: operation,
        **({WORKFLOW_ID: workflow_id} if isinstance(workflow_id, str) else {}),
    }


def error_type(error: BaseException) -> str:
    """What went wrong, in a word; a service that declines says itself what it was."""
    if isinstance(error, HandledError) and isinstance(error.data, dict) and error.data.get("type"):
        return str(error.data["type"])
    return type(error).__name__


def ids_of(seed: str, workflow_id: str) -> tuple[int, int]:
    """``(trace id, id of the saga's own span)``: whoever knows the saga knows its trace."""
    digest = hashlib.sha256(f"{seed}:{workflow_id}".encode()).digest()
    return int.from_bytes(digest[:16]), int.from_bytes(digest[16:24])
