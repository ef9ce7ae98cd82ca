"""The servers that are not an engine's own: they start, answer, keep their data, and listen to us alone."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pika  # type: ignore[import-untyped]
import pytest
import redis
from sqlalchemy import text

from bakeoff.errors import EngineUnavailableError, ServerStartError, UsageError
from bakeoff.processes import Child, Launcher, scratch_folder
from bakeoff.servers import PostgresServer, RabbitmqServer, RunningServer, Server, ValkeyServer, start_server
from bakeoff.servers.rabbitmq import rabbitmq_programs
from bakeoff.world.database import open_database
from tests.processes.traces import Traces, until

pytestmark = [pytest.mark.service]

#: Erlang's logs are written with up to two seconds of delay; a kill of the node loses what waits.
_HELD_BACK_S = 2.5


@dataclass(frozen=True)
class Case:
    """A server, and how a client of its own kind prepares it, writes something durable and reads it again.

    ``prepared`` tells of its data folder whether the preparation would outlive a kill.
    """

    make: Callable[[], Server]
    prepare: Callable[[str], None]
    write: Callable[[str], None]
    read: Callable[[str], str]
    prepared: Callable[[Path], bool] | None = None


def _nothing(address: str) -> None:
    """It needs no preparation."""


def _write_valkey(address: str) -> None:
    with redis.Redis.from_url(address) as client:
        client.set("fact", "kept")


def _read_valkey(address: str) -> str:
    with redis.Redis.from_url(address, decode_responses=True) as client:
        return str(client.get("fact"))


def _declare_queue(address: str) -> None:
    with pika.BlockingConnection(pika.URLParameters(address.removesuffix("/") + "%2F")) as connection:
        connection.channel().queue_declare("facts", durable=True)


def _queue_is_in_a_file(folder: Path) -> bool:
    """RabbitMQ acknowledges a new queue up to two seconds before its definition is in Mnesia's log."""
    logs = [*folder.glob("mnesia/*/*.LOG"), *folder.glob("mnesia/*/rabbit_durable_queue.DC?")]
    return any(b"facts" in _bytes_of(log) for log in logs)


def _bytes_of(log: Path) -> bytes:
    try:
        return log.read_bytes()
    except FileNotFoundError:  # Mnesia has moved it to another file meanwhile
        return b""


def _steadily(condition: Callable[[], bool]) -> Callable[[], bool]:
    """The condition, true at every look for as long as Mnesia may hold back what it moves to another file."""
    since = float("inf")

    def held() -> bool:
        nonlocal since
        since = min(since, time.monotonic()) if condition() else float("inf")
        return time.monotonic() - since >= _HELD_BACK_S

    return held


def _write_rabbitmq(address: str) -> None:
    with pika.BlockingConnection(pika.URLParameters(address.removesuffix("/") + "%2F")) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        channel.basic_publish("", "facts", b"kept", pika.BasicProperties(delivery_mode=2))


def _read_rabbitmq(address: str) -> str:
    with pika.BlockingConnection(pika.URLParameters(address.removesuffix("/") + "%2F")) as connection:
        _, _, body = connection.channel().basic_get("facts", auto_ack=True)
        return str(body.decode()) if body else "nothing"


def _create_table(address: str) -> None:
    engine = open_database(address)
    with engine.begin() as tx:
        tx.execute(text("CREATE TABLE facts (fact text)"))
    engine.dispose()


def _write_postgres(address: str) -> None:
    engine = open_database(address)
    with engine.begin() as tx:
        tx.execute(text("INSERT INTO facts VALUES ('kept')"))
    engine.dispose()


def _read_postgres(address: str) -> str:
    engine = open_database(address)
    with engine.connect() as connection:
        fact = str(connection.execute(text("SELECT fact FROM facts")).scalar_one())
    engine.dispose()
    return fact


CASES = {
    "valkey": Case(lambda: ValkeyServer("broker"), _nothing, _write_valkey, _read_valkey),
    "rabbitmq": Case(RabbitmqServer, _declare_queue, _write_rabbitmq, _read_rabbitmq, _queue_is_in_a_file),
    "postgresql": Case(PostgresServer, _create_table, _write_postgres, _read_postgres),
}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    if request.param == "rabbitmq":
        try:
            rabbitmq_programs()
        except EngineUnavailableError as missing:
            if os.environ.get("CI"):
                raise
            pytest.skip(f"not supported here: {missing}")
    return CASES[request.param]


@pytest.fixture
def scratch() -> Iterator[Path]:
    with scratch_folder("test") as folder:
        yield folder


def _start(server: Server, launcher: Launcher, folder: Path) -> RunningServer:
    return asyncio.run(start_server(server, launcher, folder))


def _start_again(running: RunningServer, launcher: Launcher) -> Child:
    """As the harness does after it has killed a server: the same folder, the same ports."""
    assert running.folder is not None
    launch = running.server.launch(running.folder, running.ports)
    child = launcher.start(f"{running.server.role}-again", launch)

    def answers() -> bool:
        assert child.alive, child.log_tail()
        try:
            asyncio.run(running.server.probe(running.address))
        except Exception:
            return False
        return True

    until(answers, "it answers again", running.server.ready_within_s)
    return child


def test_it_starts_answers_listens_on_loopback_and_stops(
    case: Case, scratch: Path, traces: Callable[[int], Traces]
) -> None:
    with Launcher(scratch / "logs") as launcher:
        running = _start(case.make(), launcher, scratch)
        assert running.child is not None
        held = traces(os.getpid())
        case.prepare(running.address)
        case.write(running.address)

        assert running.version[0].isdigit()
        assert case.read(running.address) == "kept"
        assert held.addresses <= {"127.0.0.1", "::1"}
        assert set(running.ports.values()) <= set(held.ports)

    assert held.held_ports() == []
    assert held.alive() == []


def test_it_keeps_what_it_acknowledged_when_it_is_killed_and_started_again(case: Case, scratch: Path) -> None:
    with Launcher(scratch / "logs") as launcher:
        running = _start(case.make(), launcher, scratch)
        assert running.child is not None
        case.prepare(running.address)
        folder, child = running.folder, running.child
        assert folder is not None
        if (prepared := case.prepared) is not None:
            until(_steadily(lambda: prepared(folder)), "the preparation is in a file, and stays in one")
        case.write(running.address)

        child.popen.kill()
        launcher.stop(child)
        assert child.popen.returncode == -signal.SIGKILL
        _start_again(running, launcher)

        assert case.read(running.address) == "kept"


def test_a_server_that_cannot_come_up_shows_its_log(tmp_path: Path) -> None:
    server = ValkeyServer("broker", appendfsync="sometimes")
    with (
        Launcher(tmp_path / "logs") as launcher,
        pytest.raises(ServerStartError, match=r"(?s)valkey ended at once \(exit code 1\):.*appendfsync"),
    ):
        _start(server, launcher, tmp_path)


def test_an_external_server_that_does_not_answer_is_the_users_mistake(tmp_path: Path) -> None:
    server = ValkeyServer("broker", external_address="redis://joe:secret@127.0.0.1:1/0")
    with (
        Launcher(tmp_path / "logs") as launcher,
        pytest.raises(UsageError, match=r"no valkey answers at redis://\*\*\*@127.0.0.1:1/0") as raised,
    ):
        _start(server, launcher, tmp_path)
    assert "secret" not in str(raised.value)


@pytest.mark.skipif(os.getuid() != 0, reason="only root must become somebody else")
def test_root_runs_postgresql_where_nobody_else_may_enter(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    (closed / "run" / "engine").mkdir(parents=True)
    with Launcher(tmp_path / "logs") as launcher:
        running = _start(PostgresServer(), launcher, closed / "run" / "engine")
        _create_table(running.address)
        _write_postgres(running.address)

        assert _read_postgres(running.address) == "kept"
    assert closed.stat().st_mode & 0o077 == 0
