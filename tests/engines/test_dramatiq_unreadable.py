"""A message that cannot be decoded, and what was fetched together with it, on Valkey."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from dramatiq import Message
from dramatiq.errors import DecodeError

from bakeoff.processes import Launcher
from bakeoff.servers import ValkeyServer, start_server
from bakeoff_dramatiq.valkey_broker import ValkeyBroker

pytestmark = pytest.mark.service


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("unreadable")
    with Launcher(folder / "logs") as launcher:
        server = asyncio.run(start_server(ValkeyServer(role="broker"), launcher, folder / "broker"))
        yield server.address


def _broker(address: str, *, rejecting: bool) -> ValkeyBroker:
    """One with garbage in its queue and a message right behind it."""
    broker = ValkeyBroker(
        requeue_delayed=False,
        reject_unreadable=rejecting,
        client=redis.Redis.from_url(address),
        namespace=f"test-{rejecting}",
        middleware=[],
    )
    broker.declare_queue("sagas")
    client: Any = broker.client
    client.hset(f"{broker.namespace}:sagas.msgs", "garbage", b"\xff no JSON")
    client.rpush(f"{broker.namespace}:sagas", "garbage")
    broker.enqueue(Message(queue_name="sagas", actor_name="book", args=(), kwargs={}, options={}))
    return broker


def test_what_was_fetched_with_it_goes_on(address: str) -> None:
    """The unreadable one is a dead letter, as Dramatiq's broker for RabbitMQ does it."""
    broker = _broker(address, rejecting=True)
    try:
        consumer = broker.consume("sagas", prefetch=10, timeout=1)

        assert next(consumer) is None
        behind = next(consumer)
        assert behind is not None
        assert behind.actor_name == "book"
        assert broker.client.zrange(f"{broker.namespace}:sagas.XQ", 0, -1) == [b"garbage"]
        left = broker.client.hkeys(f"{broker.namespace}:sagas.msgs")
        assert left == [behind.options["redis_message_id"].encode()]
    finally:
        broker.close()


def test_as_shipped_what_was_fetched_with_it_is_forgotten(address: str) -> None:
    """The finding that the setting repairs: leased to a process that lives, and known to nobody in it."""
    broker = _broker(address, rejecting=False)
    try:
        with pytest.raises(DecodeError):
            next(broker.consume("sagas", prefetch=10, timeout=1))

        assert next(broker.consume("sagas", prefetch=10, timeout=1)) is None
        assert broker.client.scard(f"{broker.namespace}:__acks__.{broker.broker_id}.sagas") == 2
    finally:
        broker.close()
