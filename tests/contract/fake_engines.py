"""Engines that cannot be tested: one that is missing its SDK, one whose server does not come up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from bakeoff.engine import OrchestrationEngine
from bakeoff.errors import EngineUnavailableError
from bakeoff.hookspecs import hookimpl
from bakeoff.processes import Launch
from bakeoff.servers import Server
from bakeoff.settings import SettingsInForce
from bakeoff_inline.engine import InlineEngine


class WithoutSdk:
    @hookimpl
    def bakeoff_engine(self) -> OrchestrationEngine:
        raise EngineUnavailableError('the SDK is missing: pip install "bakeoff[nothing]"')


class BrokenServer:
    role: str = "broker"
    kind: str = "broken"
    port_names: tuple[str, ...] = ("main",)
    ready_within_s: float = 2.0
    external_address: str | None = None

    def launch(self, folder: Path, ports: Mapping[str, int]) -> Launch:
        return Launch(argv=("false",))

    def preferred_ports(self) -> Mapping[str, int]:
        return {}

    def address(self, ports: Mapping[str, int]) -> str:
        return "nowhere"

    def pages(self, ports: Mapping[str, int]) -> Mapping[str, str]:
        return {}

    async def probe(self, address: str) -> str:
        raise ConnectionError("nobody answers")


class WithBrokenServer(InlineEngine):
    def servers(self, settings: SettingsInForce) -> Sequence[Server]:
        return (BrokenServer(),)

    @hookimpl
    def bakeoff_engine(self) -> OrchestrationEngine:
        return self


without_sdk = WithoutSdk()
with_broken_server = WithBrokenServer()
