"""What is finished after RabbitMQ was lost must not be acknowledged as another message."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from dramatiq import Message
from dramatiq.broker import Consumer, MessageProxy
from dramatiq.brokers.rabbitmq import RabbitmqBroker

from bakeoff.processes import Launcher
from bakeoff.servers import RabbitmqServer, start_server
from bakeoff_dramatiq.broker import for_pika
from bakeoff_dramatiq.rabbitmq_broker import OwnTagsBroker
from tests.engines.dramatiq_stack import require
from tests.processes.traces import until

pytestmark = [pytest.mark.service, pytest.mark.slow]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    require("rabbitmq")
    folder = tmp_path_factory.mktemp("stale-tags")
    with Launcher(folder / "logs") as launcher:
        server = asyncio.run(start_server(RabbitmqServer(role="broker"), launcher, folder / "broker"))
        yield for_pika(server.address, 0)


@pytest.mark.parametrize(
    ("kind", "comes_back"), [(RabbitmqBroker, False), (OwnTagsBroker, True)], ids=["as shipped", "ours"]
)
def test_a_message_of_a_lost_connection_takes_no_other_with_it(
    address: str, kind: type[RabbitmqBroker], comes_back: bool
) -> None:
    """A worker has two messages, loses its connection, finishes the second, and dies with a third."""
    queue = f"sagas-{kind.__name__}"
    broker = kind(url=address, confirm_delivery=True, middleware=[])
    try:
        broker.declare_queue(queue, ensure=True)
        for name in ("first", "second"):
            _publish(broker, queue, name)
        lost = broker.consume(queue, prefetch=2, timeout=100)
        first, second = _next(lost), _next(lost)
        lost.ack(first)
        lost.close()

        again = broker.consume(queue, prefetch=2, timeout=100)
        assert _next(again).actor_name == "second"  # RabbitMQ gave it back
        _publish(broker, queue, "third")
        assert _next(again).actor_name == "third"  # the second delivery over this connection, too
        again.ack(second)  # as Dramatiq's worker does, by the consumer that it has now
        again.close()

        expected = ["second", "third"] if comes_back else ["second"]
        until(lambda: _waiting(broker, queue) == len(expected), "what was not acknowledged is back", 10)
        left = broker.consume(queue, prefetch=2, timeout=100)
        assert [_next(left).actor_name for _ in expected] == expected
        left.close()
    finally:
        broker.close()


def _publish(broker: RabbitmqBroker, queue: str, name: str) -> None:
    broker.enqueue(Message(queue_name=queue, actor_name=name, args=(), kwargs={}, options={}))


def _next(consumer: Consumer) -> MessageProxy:
    """The next message, which may take a moment to come."""
    found: list[MessageProxy] = []

    def came() -> bool:
        if (message := next(consumer)) is not None:
            found.append(message)
        return bool(found)

    until(came, "a message comes", 10)
    return found[0]


def _waiting(broker: RabbitmqBroker, queue: str) -> int:
    """Messages that nobody holds."""
    return int(broker.get_queue_message_counts(queue)[0])
