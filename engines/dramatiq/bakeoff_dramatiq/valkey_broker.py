"""Dramatiq's Redis broker with two holes closed that a saga would fall into."""

from __future__ import annotations

from typing import Any

import redis
from dramatiq import Message
from dramatiq.broker import Consumer, MessageProxy
from dramatiq.brokers.redis import RedisBroker, _RedisConsumer
from dramatiq.errors import ConnectionClosed, DecodeError


class ValkeyBroker(RedisBroker):
    """A ``RedisBroker`` that loses sight of no message and closes its connections.

    Args:
        requeue_delayed: Take delayed messages back after an outage.
        reject_unreadable: Dead-letter what cannot be decoded.
        options: Of ``RedisBroker``.
    """

    def __init__(self, *, requeue_delayed: bool, reject_unreadable: bool, **options: Any) -> None:
        super().__init__(**options)  # type: ignore[no-untyped-call]
        self._requeue_delayed = requeue_delayed
        self._reject_unreadable = reject_unreadable

    @property
    def consumer_class(self) -> type[_RedisConsumer]:
        """Of what ``consume`` creates."""
        return _Rejecting if self._reject_unreadable else _RedisConsumer

    def close(self) -> None:
        """Close every connection; Dramatiq leaves that to the garbage collector."""
        self.client.close()
        self.client.connection_pool.disconnect()

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> Consumer:
        """Create a consumer; a second one of a delay queue first gives back what the first one held.

        Delayed messages live in the consumer's memory. When its connection breaks, Dramatiq drops them there
        but leaves them leased to this very process, which never dies of it: they would wait for a restart.

        Source: Bogdanp/dramatiq#527; ``dramatiq.worker.ConsumerThread.run``.
        """
        if self._requeue_delayed and queue_name in self.delay_queues:
            try:
                held = self._leased(queue_name)
                if held:
                    self.do_requeue(queue_name, *held)
            except redis.ConnectionError as error:
                raise ConnectionClosed(error) from None
        return super().consume(queue_name, prefetch, timeout)

    def bury_unreadable(self, queue_name: str) -> None:
        """Move to the dead letters what this process has fetched and cannot decode.

        Raises:
            ConnectionClosed: If the server is away.
        """
        try:
            for id in self._leased(queue_name):
                data: Any = self.client.hget(f"{self.namespace}:{queue_name}.msgs", id)
                if data is not None and not _is_readable(data):
                    self.do_nack(queue_name, id)
        except redis.ConnectionError as error:
            raise ConnectionClosed(error) from None

    def _leased(self, queue_name: str) -> list[Any]:
        held: Any = self.client.smembers(f"{self.namespace}:__acks__.{self.broker_id}.{queue_name}")
        return list(held)


class _Rejecting(_RedisConsumer):
    """A consumer that survives a message that cannot be decoded, as Dramatiq's own for RabbitMQ does.

    Dramatiq's for Redis ends, and with it go the messages behind that one which came by the same fetch: they
    stay leased to this living process, which has forgotten them.

    Source: ``dramatiq.brokers.redis._RedisConsumer.__next__``; ``dramatiq.brokers.rabbitmq``.
    """

    def __next__(self) -> MessageProxy | None:
        try:
            message: MessageProxy | None = super().__next__()  # type: ignore[no-untyped-call]
            return message
        except DecodeError:
            self.broker.bury_unreadable(self.queue_name)
            return None


def _is_readable(data: bytes) -> bool:
    try:
        Message.decode(data)
    except DecodeError:
        return False
    return True
