"""Servers of the user's own that are there and will not have us: told apart from those that are not there."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from bakeoff.errors import EngineUnavailableError, UsageError
from bakeoff.plugins import Plugins
from bakeoff.processes import Launcher, scratch_folder
from bakeoff.servers import PostgresServer, RabbitmqServer, Server, ValkeyServer, start_server
from bakeoff.servers.rabbitmq import rabbitmq_programs
from bakeoff.settings import ConfigClass, resolve
from tests.docs.tls import certified, terminated

pytestmark = pytest.mark.service


@pytest.fixture(scope="module")
def scratch() -> Iterator[Path]:
    with scratch_folder("test") as folder:
        yield folder


@pytest.fixture(scope="module")
def launcher(scratch: Path) -> Iterator[Launcher]:
    with Launcher(scratch / "logs") as launcher:
        yield launcher


@pytest.fixture(scope="module")
def valkey(launcher: Launcher, scratch: Path) -> int:
    """The port of one that wants a password and has sixteen databases."""
    running = asyncio.run(start_server(ValkeyServer("valkey"), launcher, scratch))
    redis.Redis.from_url(running.address).config_set("requirepass", "sesame")
    return running.ports["client"]


@pytest.fixture(scope="module")
def rabbitmq(launcher: Launcher, scratch: Path) -> int:
    try:
        rabbitmq_programs()
    except EngineUnavailableError as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"not supported here: {missing}")
    return asyncio.run(start_server(RabbitmqServer(), launcher, scratch)).ports["amqp"]


def _said_of(server: Server, launcher: Launcher, scratch: Path) -> str:
    with pytest.raises(UsageError) as refused:
        asyncio.run(start_server(server, launcher, scratch))
    return str(refused.value)


@pytest.mark.parametrize(
    ("login", "database", "why"),
    [
        ("", "0", "NOAUTH"),
        (":hunter2@", "0", "WRONGPASS"),
        (":sesame@", "99", "DB index is out of range"),
        (":sesame@", "0?db=99", "DB index is out of range"),
    ],
)
def test_a_valkey_that_refuses(
    valkey: int, launcher: Launcher, scratch: Path, login: str, database: str, why: str
) -> None:
    server = ValkeyServer("broker", external_address=f"redis://{login}127.0.0.1:{valkey}/{database}")

    told = _said_of(server, launcher, scratch)

    assert told.startswith("the valkey at redis://")
    assert f"does not let us in ({why}" in told or f"does not let us in (ERR {why}" in told
    assert "hunter2" not in told
    assert "sesame" not in told


@pytest.mark.parametrize("database", ["", "/", "/0", "/15", "?db=15"])
def test_a_valkey_lets_us_into_the_database_that_is_named(
    valkey: int, launcher: Launcher, scratch: Path, database: str
) -> None:
    server = ValkeyServer("broker", external_address=f"redis://:sesame@127.0.0.1:{valkey}{database}")

    assert asyncio.run(start_server(server, launcher, scratch)).version[0].isdigit()


@pytest.mark.parametrize(
    ("login", "host", "why"),
    [
        ("guest:hunter2", "//", "RabbitMQ refused user name or password"),
        ("guest:guest", "/nowhere", "NOT_ALLOWED - vhost nowhere not found"),
    ],
)
def test_a_rabbitmq_that_refuses(
    rabbitmq: int, launcher: Launcher, scratch: Path, login: str, host: str, why: str
) -> None:
    server = RabbitmqServer(external_address=f"amqp://{login}@127.0.0.1:{rabbitmq}{host}")

    told = _said_of(server, launcher, scratch)

    assert f"does not let us in ({why})" in told
    assert "hunter2" not in told


@pytest.mark.parametrize("host", ["", "/", "//", "/%2f", "/%2F"])
def test_a_rabbitmq_lets_us_into_its_first_virtual_host(
    rabbitmq: int, launcher: Launcher, scratch: Path, host: str
) -> None:
    server = RabbitmqServer(external_address=f"amqp://guest:guest@127.0.0.1:{rabbitmq}{host}")

    assert asyncio.run(start_server(server, launcher, scratch)).version[0].isdigit()


def test_a_database_that_is_not_there(launcher: Launcher, scratch: Path) -> None:
    running = asyncio.run(start_server(PostgresServer(), launcher, scratch))
    place = running.address.rpartition("/")[0]
    server = PostgresServer(role="log", external_address=f"{place}/nowhere")

    assert 'does not let us in (database "nowhere" does not exist)' in _said_of(server, launcher, scratch)


def test_a_certificate_that_nobody_vouches_for(valkey: int, launcher: Launcher, scratch: Path) -> None:
    with terminated(valkey, certified(scratch)) as port:
        server = ValkeyServer("broker", external_address=f"rediss://:sesame@localhost:{port}/0")
        told = _said_of(server, launcher, scratch)

    assert told.startswith("no valkey answers at rediss://***@localhost")
    assert "certificate verify failed" in told


def test_a_namespace_that_is_not_there_and_files_that_cannot_be_read(
    launcher: Launcher, scratch: Path
) -> None:
    engine = Plugins().engine("temporal")

    def server(**overrides: str) -> Server:
        return engine.servers(
            resolve("temporal", engine.info().settings, ConfigClass.CI, overrides, environ={})
        )[0]

    address = asyncio.run(start_server(server(), launcher, scratch)).address

    told = _said_of(server(address=address, namespace="nowhere"), launcher, scratch)
    assert "does not let us in (Namespace nowhere is not found.)" in told
    told = _said_of(server(address=address, tls_ca="nowhere.pem"), launcher, scratch)
    assert told == "temporal TLS: cannot read nowhere.pem: No such file or directory"


@pytest.mark.parametrize("engine", ["celery", "celery-sagalog", "dramatiq"])
@pytest.mark.parametrize(
    ("broker", "url"), [("valkey", "amqp://:hunter2@host"), ("rabbitmq", "redis://host")]
)
def test_a_url_of_another_broker_names_the_setting_that_chooses_it(
    engine: str, broker: str, url: str
) -> None:
    known = Plugins().engine(engine)
    overrides = {"broker": broker, "broker_url": url}
    settings = resolve(engine, known.info().settings, ConfigClass.CI, overrides)

    with pytest.raises(UsageError, match=f"while {engine}.broker is {broker}") as refused:
        known.servers(settings)
    assert "hunter2" not in str(refused.value)


def test_celery_checks_certificates_unless_somebody_says_otherwise() -> None:
    from bakeoff_celery.backend import backend_url

    assert backend_url("rediss://host/0").endswith("+rediss://host/0?ssl_cert_reqs=required")
    assert backend_url("rediss://host/0?db=1").endswith("?db=1&ssl_cert_reqs=required")
    assert backend_url("rediss://host/0?ssl_cert_reqs=none").endswith("+rediss://host/0?ssl_cert_reqs=none")
    assert backend_url("redis://host/0").endswith("+redis://host/0")
