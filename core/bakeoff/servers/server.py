"""What every server tells the harness, and how one is brought up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from bakeoff.errors import ServerStartError, UsageError
from bakeoff.processes import Child, Launch, Launcher, free_ports

_PROBE_PAUSE_S = 0.02
_PROBE_TIMEOUT_S = 5.0


class Server(Protocol):
    """A server process that an engine needs.

    Attributes:
        role: Key in ``Deployment.addresses``: ``temporal``, ``broker``, ``results``, ``ledger``.
        kind: What it is: ``valkey``, ``rabbitmq``, ...
        port_names: Ports that it needs, by name.
        ready_within_s: Patience at the start.
        external_address: Where a server of the user's own listens; ``None`` to start one.
    """

    role: str
    kind: str
    port_names: tuple[str, ...]
    ready_within_s: float
    external_address: str | None

    def launch(self, folder: Path, ports: Mapping[str, int]) -> Launch:
        """Prepare ``folder`` and say how to start; called again for a restart on the same data.

        Raises:
            EngineUnavailableError: If the program is not installed, with the installing command.
        """

    def preferred_ports(self) -> Mapping[str, int]:
        """Ports to be taken when they are free, by name."""

    def address(self, ports: Mapping[str, int]) -> str:
        """What clients need, as it stands in ``Deployment.addresses``."""

    def pages(self, ports: Mapping[str, int]) -> Mapping[str, str]:
        """``{title: URL}`` of web pages that it serves to people."""

    async def probe(self, address: str) -> str:
        """Send one real request and return the server's version; raise anything while it is not ready."""


@dataclass(slots=True)
class RunningServer:
    """A server that answered.

    Attributes:
        server: Its description.
        address: Where clients reach it.
        version: What it said of itself.
        child: Its process; ``None`` for an external one, which is never stopped or killed.
        ports: Those it was given, by name.
        folder: Its data.
    """

    server: Server
    address: str
    version: str
    child: Child | None = None
    ports: Mapping[str, int] = field(default_factory=dict)
    folder: Path | None = None

    @property
    def pages(self) -> Mapping[str, str]:
        """``{title: URL}`` of its web pages; none for an external one."""
        return self.server.pages(self.ports) if self.child else {}


async def start_server(server: Server, launcher: Launcher, folder: Path) -> RunningServer:
    """Start a server on free loopback ports, or find the external one, and wait for its answer.

    Raises:
        ServerStartError: If it does not answer in time, with the last lines of its log.
        UsageError: If the external server does not answer.
    """
    if server.external_address is not None:
        return await _find_external(server, server.external_address)
    from bakeoff.processes import port_is_free

    wanted = server.preferred_ports()
    ports = dict(zip(server.port_names, free_ports(len(server.port_names)), strict=True))
    ports |= {name: port for name, port in wanted.items() if port_is_free(port)}
    data = folder / server.role
    data.mkdir(parents=True, exist_ok=True)
    child = launcher.start(server.role, server.launch(data, ports))
    address = server.address(ports)
    version = await _wait_ready(server, child, address)
    return RunningServer(server, address, version, child, ports, data)


async def _wait_ready(server: Server, child: Child, address: str) -> str:
    deadline = time.monotonic() + server.ready_within_s
    while True:
        try:
            return await asyncio.wait_for(server.probe(address), _PROBE_TIMEOUT_S)
        except Exception as error:  # a server that boots may answer with anything
            if not child.alive:
                raise ServerStartError(
                    f"{server.kind} ended at once (exit code {child.popen.returncode}):\n{child.log_tail()}"
                ) from error
            if time.monotonic() > deadline:
                raise ServerStartError(
                    f"{server.kind} did not answer at {address} within {server.ready_within_s:.0f} s "
                    f"({error}):\n{child.log_tail()}"
                ) from error
        await asyncio.sleep(_PROBE_PAUSE_S)


async def _find_external(server: Server, address: str) -> RunningServer:
    try:
        version = await asyncio.wait_for(server.probe(address), _PROBE_TIMEOUT_S)
    except Exception as error:
        shown = hide_credentials(address)
        raise UsageError(
            f"no {server.kind} answers at {shown} ({type(error).__name__}: {error}); "
            "start it, correct the address, or leave the setting out to have one started for you"
        ) from error
    return RunningServer(server, address, version)


def hide_credentials(address: str) -> str:
    """The address without user name and password."""
    scheme, separator, rest = address.rpartition("://")
    return f"{scheme}{separator}***@{rest.rpartition('@')[2]}" if "@" in rest else address
