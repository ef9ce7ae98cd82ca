"""Neither passwords nor user names are printed or stored, wherever a URL or a library puts them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from bakeoff.credentials import hide_credentials, without_credentials
from bakeoff.errors import UsageError
from bakeoff.processes import Launcher
from bakeoff.servers import RabbitmqServer, Server, ValkeyServer, start_server
from bakeoff.settings import ConfigClass, Setting, resolve
from bakeoff.world import World
from bakeoff.world.database import open_database


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("redis://host:6379/0", "redis://host:6379/0"),
        ("host:7233", "host:7233"),
        ("redis://alice:hunter2@host/0", "redis://***@host/0"),
        ("alice:hunter2@host:7233", "***@host:7233"),
        ("redis://host/0?password=hunter2", "redis://host/0?password=***"),
        ("redis://host/0?timeout=3&username=alice&password=hunter2", None),
        ("postgresql://host/db?user=alice&sslpassword=hunter2", None),
        ("redis://:hunter2?@host/0", "redis://***"),
        ("redis://host/0?password=hun@ter2", "redis://***"),
        ("redis://host/0?password=x&hunter2", "redis://host/0?password=***&***"),
        ("redis://:a://hunter2@host/0", "redis://***@host/0"),
        ("redis://:p/hunter2@host/0", "redis://***@host/0"),
    ],
)
def test_an_address_is_shown_without_credentials(address: str, shown: str | None) -> None:
    hidden = hide_credentials(address)

    assert "hunter2" not in hidden
    assert "alice" not in hidden
    assert hidden == shown or shown is None


@pytest.mark.parametrize(
    "url", ["postgresql://alice:hun%40ter2@host/db", "postgresql://host/db?user=alice&password=hun%40ter2"]
)
def test_what_a_library_says_is_shown_without_them(url: str) -> None:
    """Libraries quote the whole URL, or the role that it names, quoted and unquoted."""
    text = f'FATAL: role "alice" does not exist at {url}; hun@ter2, hun%40ter2; malice is no role'

    told = without_credentials(text, url)

    assert told.startswith('FATAL: role "***" does not exist at postgresql://')
    assert told.endswith("; ***, ***; malice is no role")


SECRET = (
    Setting(name="address", help="own", default="", recommended="", ci=""),
    Setting(
        name="api_key", help="secret", default="", recommended="", ci="", secret=True, only={"address": True}
    ),
    Setting(
        name="url", help="own", default="", recommended="", ci="", secret=True, choices=("a", "b"), env="URL"
    ),
)


@pytest.mark.parametrize(
    ("overrides", "environ"),
    [({"api_key": "hunter2"}, {}), ({"url": "hunter2"}, {}), ({}, {"URL": "hunter2"})],
)
def test_a_refused_secret_is_not_printed(overrides: Mapping[str, str], environ: Mapping[str, str]) -> None:
    with pytest.raises(UsageError, match=r"\*\*\*") as caught:
        resolve("temporal", SECRET, ConfigClass.CI, overrides, environ=environ)

    assert "hunter2" not in str(caught.value)


def test_an_address_in_a_refused_value_is_not_printed_either() -> None:
    """A URL where a number belongs, and one in a setting without effect."""
    declared = (
        *SECRET,
        Setting(name="number", help="n", default=1, recommended=1, ci=1),
        Setting(name="file", help="f", default="", recommended="", ci="", only={"address": True}),
    )
    for name in ("number", "file"):
        with pytest.raises(UsageError) as caught:
            resolve("temporal", declared, ConfigClass.CI, {name: "redis://alice:hunter2@host"})

        assert "hunter2" not in str(caught.value)
        assert "redis://***@host" in str(caught.value)


def test_raw_values_are_shown_without_credentials() -> None:
    raw = {
        "broker_password": "hunter2",
        "api_key": "hunter2",
        "backend": "redis://host?password=hunter2",
        "pool": "x",
    }
    in_force = resolve("celery", (), ConfigClass.CI, raw=raw)

    assert "hunter2" not in json.dumps(in_force.shown_raw())
    assert in_force.shown_raw()["pool"] == "x"


@pytest.mark.parametrize(
    "server",
    [
        ValkeyServer(role="broker", external_address="redis://alice:hunter2@127.0.0.1:1/0"),
        ValkeyServer(role="broker", external_address="redis://127.0.0.1:1/0?username=alice&password=hunter2"),
        RabbitmqServer(external_address="amqp://alice:x#hunter2@127.0.0.1:1//"),
    ],
    ids=["before the host", "query", "hash"],
)
def test_a_server_that_does_not_answer_is_named_without_them(server: Server, tmp_path: Path) -> None:
    with Launcher(tmp_path) as launcher, pytest.raises(UsageError, match=r"answers at") as caught:
        asyncio.run(start_server(server, launcher, tmp_path))

    assert "hunter2" not in str(caught.value)
    assert "alice" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://alice:hunter2@127.0.0.1:1/db",
        "postgresql://127.0.0.1:1/db?user=alice&password=hunter2",
        "mysql-nonsense//alice:hunter2@host?password=hunter2",
    ],
)
def test_a_database_that_does_not_answer_is_named_without_them(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        World.create(url)

    assert "hunter2" not in str(caught.value)
    assert "alice" not in str(caught.value)
    assert "psycopg" not in str(caught.value)


def test_no_database_url_is_told_without_them() -> None:
    with pytest.raises(UsageError, match="no database URL") as caught:
        open_database("hunter2:alice@host?password=hunter2")

    assert "hunter2" not in str(caught.value)
