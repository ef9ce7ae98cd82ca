"""Dramatiq's dead letters: looked at where they lie, and put back.

On Valkey they are a sorted set and a hash beside the queue (``.XQ``). RabbitMQ shows a message only by
delivering it, so all of them are fetched, and go back to their places when the channel closes.

Source: ``dramatiq/brokers/redis/dispatch.lua``; ``dramatiq.brokers.rabbitmq``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pika  # type: ignore[import-untyped]
from dramatiq import Broker, Message
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.common import dq_name, xq_name
from dramatiq.errors import DecodeError
from pika.exceptions import ChannelClosedByBroker  # type: ignore[import-untyped]

from bakeoff_dramatiq.context import CAUSE, OWN
from bakeoff_dramatiq.valkey_broker import ValkeyBroker

#: Options that tell of earlier attempts; who is put back begins anew.
_OF_ATTEMPTS = frozenset({"retries", "traceback", "requeue_timestamp", "on_failure", "eta", CAUSE, OWN})

#: RabbitMQ's word for a queue that nobody has declared.
_NO_SUCH_QUEUE = 404

#: KEYS: dead letters, their data, queue, its data. ARGV: id, data.
_BACK = """
if redis.call('ZREM', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('HSET', KEYS[4], ARGV[1], ARGV[2])
redis.call('RPUSH', KEYS[3], ARGV[1])
return 1
"""


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter.

    Attributes:
        id: The broker's own on Valkey, the message's on RabbitMQ (its place there, if it cannot be read).
        message: ``None`` if it cannot be decoded.
        at: Unix seconds when it was given up, ``None`` if unknown.
        held: It was not given up at all: Dramatiq on Valkey chokes on it again and again.
    """

    id: str
    message: Message[Any] | None
    at: float | None
    held: bool = False

    @property
    def workflow_id(self) -> str | None:
        """Of the saga whose state it carries."""
        return workflow_of(self.message)


def workflow_of(message: Message[Any] | None) -> str | None:
    """Workflow id of a message of ours: its last argument is the state, or of a wait's timeout the id."""
    if message is None or not message.args:
        return None
    last = message.args[-1]
    if isinstance(last, dict):
        found = last.get("workflow_id")
        return found if isinstance(found, str) else None
    return last if isinstance(last, str) else None


def letters(broker: Broker, queue: str, limit: int) -> list[Letter]:
    """At most ``limit`` dead letters, newest first."""
    if isinstance(broker, ValkeyBroker):
        return [*_unreadable(broker, queue), *_on_valkey(broker, queue, limit)][:limit]
    assert isinstance(broker, RabbitmqBroker)
    with _Shelf(broker, queue) as shelf:
        found = [letter for _, letter, _ in shelf.all()]
    return found[::-1][:limit]


def put_back(broker: Broker, queue: str, letter: Letter) -> bool:
    """Put a dead letter into its queue with all its attempts before it; false if it is gone by now."""
    assert letter.message is not None
    fresh = letter.message.copy()
    for option in _OF_ATTEMPTS & fresh.options.keys():
        del fresh.options[option]
    if isinstance(broker, ValkeyBroker):
        base = f"{broker.namespace}:{queue}"
        keys = [f"{base}.XQ", f"{base}.XQ.msgs", base, f"{base}.msgs"]
        done: Any = broker.client.eval(_BACK, len(keys), *keys, letter.id, fresh.encode())
        return bool(done)
    assert isinstance(broker, RabbitmqBroker)
    with _Shelf(broker, queue) as shelf:
        for tag, found, _ in shelf.all():
            if found.id == letter.id:
                # Published first: who dies in between leaves one too many, not one too few.
                broker.enqueue(fresh)
                shelf.take(tag)
                return True
    return False


def in_flight(broker: ValkeyBroker, queue: str, workflow_id: str) -> list[str]:
    """Names of the actors of this saga whose messages wait, are delayed or are being worked on."""
    return [
        message.actor_name if message else "?"
        for name in (queue, dq_name(queue))
        for _, message in _messages(broker, f"{broker.namespace}:{name}.msgs")
        if workflow_of(message) == workflow_id or _belongs_to_errback(message, workflow_id)
    ]


def _belongs_to_errback(message: Message[Any] | None, workflow_id: str) -> bool:
    """Whether it asks for the way back: its first argument is the failed step's message."""
    if message is None or not message.args or not isinstance(message.args[0], Mapping):
        return False
    inner = message.args[0].get("args") or [None]
    return isinstance(inner[-1], Mapping) and inner[-1].get("workflow_id") == workflow_id


def _on_valkey(broker: ValkeyBroker, queue: str, limit: int) -> Iterator[Letter]:
    base = f"{broker.namespace}:{queue}.XQ"
    given_up: Any = broker.client.zrevrange(base, 0, limit - 1, withscores=True)
    for id, at_ms in given_up:
        data: Any = broker.client.hget(f"{base}.msgs", id)
        if data is not None:
            yield Letter(id.decode(), _decoded(data), at_ms / 1000)


def _unreadable(broker: ValkeyBroker, queue: str) -> Iterator[Letter]:
    """What Dramatiq cannot decode stays leased to the worker whose consumer it ended."""
    for id, message in _messages(broker, f"{broker.namespace}:{queue}.msgs"):
        if message is None:
            yield Letter(id, None, None, held=True)


def _messages(broker: ValkeyBroker, key: str) -> Iterator[tuple[str, Message[Any] | None]]:
    for id, data in broker.client.hscan_iter(key, count=500):
        yield id.decode(), _decoded(data)


def _decoded(data: bytes) -> Message[Any] | None:
    try:
        return Message.decode(data)
    except DecodeError:
        return None


class _Shelf:
    """RabbitMQ's dead-letter queue, held in hands for a moment; what is not taken goes back to its place."""

    def __init__(self, broker: RabbitmqBroker, queue: str) -> None:
        self._connection = pika.BlockingConnection(broker.parameters)
        self._channel = self._connection.channel()
        self._queue = xq_name(queue)

    def __enter__(self) -> _Shelf:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def all(self) -> Iterator[tuple[int, Letter, bytes]]:
        """Every ``(delivery tag, letter, body)``, oldest first."""
        place = 0
        while True:
            try:
                method, properties, body = self._channel.basic_get(self._queue)
            except ChannelClosedByBroker as error:
                if error.reply_code != _NO_SUCH_QUEUE:
                    raise
                return  # nothing has been published yet
            if method is None:
                return
            place += 1
            message = _decoded(body)
            death = ((properties.headers or {}).get("x-death") or [{}])[0]
            at = death["time"].timestamp() if "time" in death else None
            id = message.message_id if message is not None else f"unreadable-{place}"
            yield method.delivery_tag, Letter(id, message, at), body

    def take(self, tag: int) -> None:
        """Remove one for good."""
        self._channel.basic_ack(tag)
