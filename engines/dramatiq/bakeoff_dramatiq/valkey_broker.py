"""Dramatiq's Redis broker with two holes closed that a saga would fall into."""

from __future__ import annotations

from typing import Any

import redis
from dramatiq.broker import Consumer, MessageProxy
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.brokers.redis import RedisBroker
from dramatiq.errors import ConnectionClosed

from bakeoff_dramatiq.oneway import OneWay

#: KEYS: the queue's messages. ARGV: id, message. A message that somebody else has finished stays away.
_REPLACE = """
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
"""
_DELIVERED = "delivered"


class ValkeyBroker(RedisBroker):
    """A ``RedisBroker`` that knows redelivered messages and takes delayed ones back after an outage."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)  # type: ignore[no-untyped-call]
        self._notes = OneWay(self.client)

    def note_delivery(self, message: MessageProxy) -> bool:
        """Write into the stored message that it was delivered; tell whether that stood there already.

        RabbitMQ sets such a flag itself. Without it a step that was lost with its worker and then declined
        would look purely declined, and a late effect of the first attempt would never be undone.
        """
        if message.options.get(_DELIVERED):
            return True
        copy = message._message.copy(options={_DELIVERED: True})
        key = f"{self.namespace}:{message.queue_name}.msgs"
        self._notes.send("EVAL", _REPLACE, 1, key, message.options["redis_message_id"], copy.encode())
        return False

    def close(self) -> None:
        """Close every connection; Dramatiq leaves that to the garbage collector."""
        self._notes.close()
        self.client.close()
        self.client.connection_pool.disconnect()

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> Consumer:
        """Create a consumer; a second one of a delay queue first gives back what the first one held.

        Delayed messages live in the consumer's memory. When its connection breaks, Dramatiq drops them there
        but leaves them leased to this very process, which never dies of it: they would wait for a restart.

        Source: Bogdanp/dramatiq#527; ``dramatiq.worker.ConsumerThread.run``.
        """
        if queue_name in self.delay_queues:
            try:
                held = self.client.smembers(f"{self.namespace}:__acks__.{self.broker_id}.{queue_name}")
                if held:
                    self.do_requeue(queue_name, *held)
            except redis.ConnectionError as error:
                raise ConnectionClosed(error) from None
        return super().consume(queue_name, prefetch, timeout)


def redelivered(broker: object, message: MessageProxy) -> bool:
    """Tell whether a worker had this very message before and did not finish it; at most once per delivery."""
    if isinstance(broker, ValkeyBroker):
        return broker.note_delivery(message)
    if isinstance(broker, RabbitmqBroker):
        return bool(getattr(message, "redelivered", False))
    raise TypeError(f"no rule for redelivery on {type(broker).__name__}")
