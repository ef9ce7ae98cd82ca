"""How the proxy is started: like any other server of ours."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bakeoff.processes import Launch, Launcher
from bakeoff.proxy.control import Proxy, host_and_port
from bakeoff.servers import RunningServer, start_server

#: Name of a port that no server's role can have.
_CONTROL = "(control)"


@dataclass(slots=True)
class ProxyServer:
    """One process for all servers of an engine.

    Attributes:
        routes: ``{server role: (host, port)}`` of the servers behind it.
        port_names: One port to be told what to do, and one per server.
    """

    routes: Mapping[str, tuple[str, int]]
    role: str = "proxy"
    kind: str = "TCP proxy"
    ready_within_s: float = 15.0
    external_address: str | None = None
    port_names: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.port_names = (_CONTROL, *self.routes)

    def launch(self, folder: Path, ports: Mapping[str, int]) -> Launch:
        """It keeps nothing."""
        routes = [f"{ports[role]}={host}:{port}" for role, (host, port) in self.routes.items()]
        argv = [sys.executable, "-P", "-m", "bakeoff.proxy.relay", str(ports[_CONTROL]), *routes]
        return Launch(argv=argv, stop_within_s=0)

    def preferred_ports(self) -> Mapping[str, int]:
        """Any port will do."""
        return {}

    def address(self, ports: Mapping[str, int]) -> str:
        """Where orders are taken."""
        return f"127.0.0.1:{ports[_CONTROL]}"

    def pages(self, ports: Mapping[str, int]) -> Mapping[str, str]:
        """It has none."""
        return {}

    async def probe(self, address: str) -> str:
        """Ask for its connections; it is as old as we are."""
        await Proxy(RunningServer(self, address, ""), {}).tell("connections")
        return "bakeoff"


async def start_proxy(servers: Sequence[RunningServer], launcher: Launcher, folder: Path) -> Proxy | None:
    """Start one before the servers that we started; ``None`` if we started none.

    Raises:
        ServerStartError: If it does not answer in time.
    """
    routes = {one.server.role: host_and_port(one.address) for one in servers if one.child is not None}
    if not routes:
        return None
    running = await start_server(ProxyServer(routes), launcher, folder)
    return Proxy(running, {role: running.ports[role] for role in routes})
