"""What every server tells the harness, and how one is brought up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from bakeoff.credentials import hide_credentials, without_credentials
from bakeoff.errors import ServerStartError, UsageError
from bakeoff.processes import Child, Launch, Launcher, free_ports, port_is_free
from bakeoff.servers.own import RefusedError

#: How often a server that finds its port taken is started again, and the pause before that, in seconds.
_RESTARTS, _RESTART_PAUSE_S = 10, 1.0
_PROBE_PAUSE_S = 0.02
_PROBE_TIMEOUT_S = 5.0
#: Starts of a server whose ports were taken under its hands.
_STARTS = 3
_IN_USE = ("address already in use", "eaddrinuse", "port is already in use")


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
        """Send one real request and return the server's version; raise anything while it is not ready.

        Raises:
            RefusedError: If it is there, and does not let us in.
        """


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
        UsageError: If the external server does not answer, or does not let us in.
    """
    if server.external_address is not None:
        return await _find_external(server, server.external_address)
    for attempt in range(1, _STARTS + 1):
        try:
            return await _start(server, launcher, folder)
        except _PortTakenError as error:
            # Between our look at a port and the server's bind somebody else may take it.
            if attempt == _STARTS:
                raise ServerStartError(str(error)) from error
    raise AssertionError("unreachable")


async def _start(server: Server, launcher: Launcher, folder: Path) -> RunningServer:
    wanted = server.preferred_ports()
    ports = dict(zip(server.port_names, free_ports(len(server.port_names)), strict=True))
    ports |= {name: port for name, port in wanted.items() if port_is_free(port)}
    data = folder / server.role
    data.mkdir(parents=True, exist_ok=True)
    child = launcher.start(server.role, server.launch(data, ports))
    address = server.address(ports)
    try:
        version = await _wait_ready(server, child, address)
    except _PortTakenError:
        await asyncio.to_thread(launcher.stop, child)
        raise
    return RunningServer(server, address, version, child, ports, data)


class _PortTakenError(ServerStartError):
    """The server ended at once and its log speaks of an address in use."""


async def _wait_ready(server: Server, child: Child, address: str) -> str:
    deadline = time.monotonic() + server.ready_within_s
    while True:
        try:
            async with asyncio.timeout(_PROBE_TIMEOUT_S):  # wait_for of 3.11 may swallow a Ctrl-C
                version = await server.probe(address)
            if child.alive:  # otherwise a stranger answered on the port that ours could not have
                return version
            raise ConnectionError("a stranger answered")
        except Exception as error:  # a server that boots may answer with anything
            if not child.alive:
                taken = any(words in child.log.read_text(errors="replace").lower() for words in _IN_USE)
                raise (_PortTakenError if taken else ServerStartError)(
                    f"{server.kind} ended at once (exit code {child.popen.returncode}):\n{child.log_tail()}"
                ) from error
            if time.monotonic() > deadline:
                raise ServerStartError(
                    f"{server.kind} did not answer at {hide_credentials(address)} within "
                    f"{server.ready_within_s:.0f} s ({_in_words(error, address)}):\n{child.log_tail()}"
                ) from error
        await asyncio.sleep(_PROBE_PAUSE_S)


async def restart_server(running: RunningServer, launcher: Launcher) -> None:
    """Start a server of ours again that has ended or been killed: same data, same ports; wait for its answer.

    A stranger's outgoing connection may hold one of the ports for a moment; then it is tried again.

    Raises:
        UsageError: If it is none of ours.
        ServerStartError: If it does not answer in time.
    """
    child, folder = running.child, running.folder
    if child is None or folder is None:
        raise UsageError(
            f"{running.server.kind} at {hide_credentials(running.address)} was not started by us"
        )
    for left in reversed(range(_RESTARTS)):
        assert running.child is not None
        await asyncio.to_thread(launcher.stop, running.child, 0)
        running.child = launcher.start(running.server.role, running.server.launch(folder, running.ports))
        try:
            await await_answer(running)
            return
        except ServerStartError as error:
            if not left or "address already in use" not in str(error).lower():
                raise
            await asyncio.sleep(_RESTART_PAUSE_S)


async def await_answer(running: RunningServer) -> None:
    """Wait until a server of ours answers (again).

    Raises:
        ServerStartError: If it has ended, or does not answer in time.
    """
    assert running.child is not None
    await _wait_ready(running.server, running.child, running.address)


async def _find_external(server: Server, address: str) -> RunningServer:
    try:
        async with asyncio.timeout(_PROBE_TIMEOUT_S):
            version = await server.probe(address)
    except UsageError:
        raise  # nobody was asked yet
    except RefusedError as error:
        raise UsageError(
            f"the {server.kind} at {hide_credentials(address)} does not let us in "
            f"({without_credentials(str(error), address)}); correct the user, the password, or what is named "
            "there (database, virtual host, namespace)"
        ) from error
    except Exception as error:
        shown = hide_credentials(address)
        raise UsageError(
            f"no {server.kind} answers at {shown} ({_in_words(error, address)}); "
            "start it, correct the address, or leave the setting out to have one started for you"
        ) from error
    return RunningServer(server, address, version)


def _in_words(error: Exception, address: str) -> str:
    """Type and message; an address that cannot be read is quoted in pieces, so of that only the type."""
    kind = type(error).__name__
    if isinstance(error, ValueError) and not isinstance(error, OSError):  # a bad certificate is both
        return f"{kind}: this is no address"
    return f"{kind}: {without_credentials(str(error), address)}"
