"""Where a saga is now. Dramatiq answers no such question, so this looks at what lies in Valkey."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from dramatiq import Message
from dramatiq.common import dq_name
from dramatiq.errors import DecodeError

from bakeoff.outcome import Cause, Description, Status
from bakeoff_dramatiq.context import CAUSE, Context
from bakeoff_dramatiq.state import element_of_actor
from bakeoff_dramatiq.valkey_broker import ValkeyBroker

_HIDDEN = "RabbitMQ does not show a message without delivering it"
_BETWEEN = "no message of this saga lies in the queue at this moment"


def describe(context: Context, workflow_id: str) -> Description:
    """Put row, signal rows and, on Valkey, the message in flight together."""
    row = context.rows.row(workflow_id)
    if "outcome" in row:
        outcome = json.loads(row["outcome"])[1]
        cause = Cause(**outcome["cause"]) if outcome.get("cause") else None
        return Description(
            status=Status(outcome["status"]),
            saga=row["saga"],
            last_error=f"{cause.type}: {cause.message}" if cause else None,
        )
    awaiting = context.rows.awaited(context.saga, workflow_id)
    if awaiting is not None:
        return Description(status=Status.RUNNING, saga=row["saga"], current_step=awaiting, awaiting=awaiting)
    fields = ("current_step", "attempt", "next_retry_at", "last_error")
    if not isinstance(context.broker, ValkeyBroker):
        unknown = dict.fromkeys(fields, _HIDDEN)
        return Description(status=Status.RUNNING, saga=row["saga"], unknown=unknown)
    message = next(_messages(context, context.broker, workflow_id), None)
    if message is None:
        unknown = dict.fromkeys(fields, _BETWEEN)
        return Description(status=Status.RUNNING, saga=row["saga"], unknown=unknown)
    return _of_message(context, row["saga"], message)


def _of_message(context: Context, saga: str, message: Message[Any]) -> Description:
    retries, cause = message.options.get("retries", 0), message.options.get(CAUSE)
    eta = message.options.get("eta")
    return Description(
        status=Status.RUNNING,
        saga=saga,
        current_step=element_of_actor(context.saga, message.actor_name),
        attempt=retries + 1,
        next_retry_at=eta / 1000 if eta and retries else None,
        last_error=f"{cause['type']}: {cause['message']}" if cause else None,
    )


def _messages(context: Context, broker: ValkeyBroker, workflow_id: str) -> Iterator[Message[Any]]:
    """Every message of one saga that waits, is delayed or is being worked on."""
    for queue in (context.queue, dq_name(context.queue)):
        for _, data in broker.client.hscan_iter(f"{broker.namespace}:{queue}.msgs", count=500):
            try:
                message: Message[Any] = Message.decode(data)
            except DecodeError:
                continue
            state = message.args[-1] if message.args else None
            if isinstance(state, dict) and state.get("workflow_id") == workflow_id:
                yield message
