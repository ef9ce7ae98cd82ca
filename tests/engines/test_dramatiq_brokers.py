"""Brokers that die, brokers that belong to somebody else, and their addresses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from bakeoff.contract import sagas
from bakeoff.contract.lab import Lab, Started
from bakeoff.errors import WorkflowError
from bakeoff.outcome import Status
from bakeoff.processes import Launcher, free_ports
from bakeoff.servers import ValkeyServer
from bakeoff_dramatiq.broker import for_pika
from tests.engines.dramatiq_stack import dramatiq_lab, require, restart, server
from tests.tiers import thorough

pytestmark = pytest.mark.service


@thorough
@pytest.mark.slow
def test_sagas_survive_a_killed_rabbitmq(tmp_path: Path) -> None:
    """Acknowledged sagas get home, also those whose timer a worker held in memory when the broker died."""
    require("rabbitmq")
    with dramatiq_lab(tmp_path, "broker-rabbitmq", overrides={"broker": "rabbitmq"}) as lab:
        sleeping = [lab.start(sagas.NAPPING) for _ in range(3)]
        acting = [lab.start(sagas.TRIP, fates={"book_hotel:action": {"first": ["slow:1"]}}) for _ in range(3)]
        waiting = lab.start(sagas.APPROVAL)
        acting[0].until_attempted("book_hotel")
        waiting.until_done("book_flight")

        restart(lab, server(lab, "broker"))

        for started in sleeping + acting:
            assert started.outcome(60).status is Status.COMPLETED
        lab.until("the signal is taken", lambda: _signalled(waiting), 60)
        assert waiting.outcome(60).status is Status.COMPLETED
        assert lab.stack.workers is not None
        assert lab.stack.workers.restarts == 0


def _signalled(started: Started) -> bool:
    try:
        return started.signal("approved")
    except WorkflowError:
        return False


@thorough
@pytest.mark.slow
def test_delayed_messages_come_back_after_a_long_outage_without_a_restart(tmp_path: Path) -> None:
    """Dramatiq forgets what a consumer held when its connection broke, but leaves it leased to itself."""
    with dramatiq_lab(tmp_path, "outage", overrides={"connection_retries": "0"}) as lab:
        started = lab.start(sagas.LONG_NAPPING)
        started.until_done("book_flight")
        # Until the sleeping message is in the worker's memory.
        held = lab.until("the worker holds the timer", lambda: _leased(lab))

        restart(lab, server(lab, "broker"))

        assert started.outcome(60).status is Status.COMPLETED
        assert held == 1
        assert lab.stack.workers is not None
        assert lab.stack.workers.restarts == 0


def _leased(lab: Lab) -> int:
    """Number of delayed messages that a worker has taken."""
    with redis.Redis.from_url(server(lab, "broker").address) as client:
        keys = list(client.scan_iter(match="dramatiq:__acks__.*.sagas.DQ"))
        return sum(int(client.scard(key)) for key in keys)


@contextmanager
def foreign_valkey(folder: Path) -> Iterator[str]:
    """A Valkey of the user's own, with something in it that is none of our business."""
    with Launcher(folder / "logs") as launcher:
        valkey, ports = ValkeyServer(role="foreign"), {"client": free_ports(1)[0]}
        (folder / "foreign").mkdir(parents=True)
        child = launcher.start("foreign", valkey.launch(folder / "foreign", ports))
        with redis.Redis.from_url(valkey.address(ports)) as client:
            while True:
                try:
                    client.set("theirs", "precious")
                    break
                except redis.ConnectionError:
                    assert child.alive, child.log_tail()
        yield valkey.address(ports)


def test_everything_on_a_foreign_server_carries_our_prefix(tmp_path: Path) -> None:
    """Queues, rows, barriers, results: no name of ours without the prefix, and theirs untouched."""
    with foreign_valkey(tmp_path) as url, redis.Redis.from_url(url) as client:
        overrides = {"broker_url": url, "heartbeat_timeout_s": "5"}
        with dramatiq_lab(tmp_path / "run", "foreign", overrides=overrides, prefix="ours-") as lab:
            assert lab.stack.deployment.external == ("broker",)
            for saga in (sagas.TRIP, sagas.PARALLEL, sagas.NAPPING):
                assert lab.settle(saga).outcome.status is Status.COMPLETED
            assert lab.settle(sagas.TRIP, fates={"book_car:action": {"then": "decline"}}).outcome.cause
            parked = lab.start(sagas.APPROVAL)
            lab.until("it waits", lambda: parked.describe().awaiting)
            names = {key.decode() for key in client.scan_iter()}

        assert {name for name in names if not name.startswith("ours-")} == {"theirs"}
        assert len(names) > 5
        assert client.get("theirs") == b"precious"


def test_rows_may_have_a_server_of_their_own(tmp_path: Path) -> None:
    """``results_url`` takes outcomes and rows elsewhere; the broker then holds messages only."""
    with (
        foreign_valkey(tmp_path) as url,
        redis.Redis.from_url(url) as client,
        dramatiq_lab(tmp_path / "run", "rows", overrides={"results_url": url}, prefix="ours-") as lab,
    ):
        settled = lab.settle(sagas.TRIP)
        assert settled.outcome.status is Status.COMPLETED
        assert client.exists(f"ours-saga:{settled.started.workflow_id}")
        assert not any(b"dramatiq" in key for key in client.scan_iter())


@pytest.mark.parametrize(
    ("url", "retries", "expected"),
    [
        ("amqp://me:pw@host:1//", 0, "amqp://me:pw@host:1/%2F"),
        ("amqp://host/shop", 2, "amqp://host/shop?connection_attempts=3&retry_delay=1"),
        (
            "amqp://host/shop?heartbeat=5",
            1,
            "amqp://host/shop?heartbeat=5&connection_attempts=2&retry_delay=1",
        ),
        ("amqp://host/shop?connection_attempts=9", 2, "amqp://host/shop?connection_attempts=9"),
    ],
)
def test_amqp_urls_are_spelled_as_pika_wants_them(url: str, retries: int, expected: str) -> None:
    """Kombu writes ``//`` for the virtual host ``/``, pika ``/%2F``."""
    assert for_pika(url, retries) == expected
