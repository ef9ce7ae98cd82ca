"""Dramatiq's Redis broker with a hole closed that a sleeping saga would fall into."""

from __future__ import annotations

from typing import Any

import redis
from dramatiq.broker import Consumer
from dramatiq.brokers.redis import RedisBroker
from dramatiq.errors import ConnectionClosed


class ValkeyBroker(RedisBroker):
    """A ``RedisBroker`` that can take delayed messages back after an outage and closes its connections."""

    def __init__(self, *, requeue_delayed: bool, **options: Any) -> None:
        super().__init__(**options)  # type: ignore[no-untyped-call]
        self._requeue_delayed = requeue_delayed

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
                held = self.client.smembers(f"{self.namespace}:__acks__.{self.broker_id}.{queue_name}")
                if held:
                    self.do_requeue(queue_name, *held)
            except redis.ConnectionError as error:
                raise ConnectionClosed(error) from None
        return super().consume(queue_name, prefetch, timeout)
