"""Dramatiq's RabbitMQ broker with a hole closed that a saga would fall into."""

from __future__ import annotations

from typing import Any

from dramatiq.broker import MessageProxy
from dramatiq.brokers.rabbitmq import RabbitmqBroker, _RabbitmqConsumer

_CONSUMER = "_bakeoff_consumer"


class OwnTagsBroker(RabbitmqBroker):
    """A ``RabbitmqBroker`` whose consumers acknowledge nothing but what they have delivered themselves."""

    @property
    def consumer_class(self) -> type[_RabbitmqConsumer]:
        """Of what ``consume`` creates."""
        return _OwnTags


class _OwnTags(_RabbitmqConsumer):
    """A consumer that leaves alone what came over an earlier connection.

    RabbitMQ counts deliveries per channel. A worker whose connection broke finishes what it had, and Dramatiq
    acknowledges that by its old number over the new connection, where the same number is another message:
    that one is off the queue while it still waits or runs, and lost if its worker dies. The old one has been
    given back by RabbitMQ anyway.

    Source: ``dramatiq.worker.ConsumerThread.post_process_message``;
    https://www.rabbitmq.com/docs/confirms#consumer-acks-delivery-tags.
    """

    def __next__(self) -> MessageProxy | None:
        message: MessageProxy | None = super().__next__()  # type: ignore[no-untyped-call]
        if message is not None:
            setattr(message, _CONSUMER, self)
        return message

    def ack(self, message: Any) -> None:
        if getattr(message, _CONSUMER, self) is self:
            super().ack(message)  # type: ignore[no-untyped-call]

    def nack(self, message: Any) -> None:
        if getattr(message, _CONSUMER, self) is self:
            super().nack(message)  # type: ignore[no-untyped-call]
