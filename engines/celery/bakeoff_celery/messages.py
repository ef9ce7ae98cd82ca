"""Where the messages of one saga are: with a worker, in the queue, or delivered and not answered."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from celery import Celery
from redis import Redis

from bakeoff.deployment import Deployment

#: Messages that are read from the queue at once.
_PAGE = 500
#: Kombu's hash of what was delivered and not acknowledged.
_UNACKED = "unacked"


@dataclass(frozen=True, slots=True)
class Found:
    """What lies on Valkey.

    Attributes:
        queued: Names of tasks whose messages wait for a worker.
        unacknowledged: ``{delivery tag: task name}`` of what was delivered to one.
    """

    queued: Sequence[str]
    unacknowledged: dict[str, str]


def belongs(saga_id: str, workflow_id: str, task_id: str, args: Any) -> bool:
    """Whether a task is one of this saga; undos have ids of Celery's own, but say whose they are.

    Args:
        saga_id: The saga's native id.
        workflow_id: The caller's id.
        task_id: Of the task.
        args: Its positional arguments.
    """
    if task_id == saga_id or task_id.startswith(f"{saga_id}:"):
        return True
    states = (
        [arg.get("id") for arg in args if isinstance(arg, dict)] if isinstance(args, list | tuple) else []
    )
    is_undo = isinstance(args, list | tuple) and len(args) == 5 and args[2] == workflow_id
    return is_undo or workflow_id in states


def on_valkey(deployment: Deployment, workflow_id: str) -> Found:
    """Read the queue and what Kombu keeps of deliveries, without taking anything away."""
    prefix = deployment.prefix
    native_id = deployment.native_id(workflow_id)
    client: Any = Redis.from_url(deployment.addresses["broker"])
    try:
        queued = [
            str(message["headers"]["task"])
            for message in _queue(client, f"{prefix}{prefix}bakeoff")
            if _is_of(message, native_id, workflow_id)
        ]
        unacknowledged = {}
        for tag, text in client.hscan_iter(f"{prefix}{_UNACKED}", count=_PAGE):
            message = json.loads(text)[0]
            if _is_of(message, native_id, workflow_id):
                unacknowledged[tag.decode()] = str(message["headers"]["task"])
        return Found(queued, unacknowledged)
    finally:
        client.close()


def deliver_again(app: Celery, tags: Sequence[str]) -> None:
    """Let Kombu put back what a worker took and never answered for, before the lease ends."""
    with app.connection_for_write() as connection:
        channel: Any = connection.default_channel
        app.amqp.queues[app.conf.task_default_queue](channel).declare()
        for tag in tags:
            channel.qos.restore_by_tag(tag)


def _queue(client: Any, key: str) -> Iterator[dict[str, Any]]:
    start = 0
    while page := client.lrange(key, start, start + _PAGE - 1):
        yield from (json.loads(text) for text in page)
        start += _PAGE


def _is_of(message: dict[str, Any], native_id: str, workflow_id: str) -> bool:
    headers = message.get("headers") or {}
    if belongs(native_id, workflow_id, str(headers.get("id", "")), ()):
        return True
    try:
        args = json.loads(base64.b64decode(message["body"]))[0]
    except (KeyError, ValueError, IndexError):
        return False  # not one of ours
    return belongs(native_id, workflow_id, "", args)
