"""Bridges to try: each test runs over both."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bakeoff.bridge import Bridge
from bakeoff.bridge.in_process import InProcessBridge
from bakeoff.bridge.nats import NatsBridge
from bakeoff.processes import Launcher
from bakeoff.servers import NatsServer, RunningServer, start_server


@asynccontextmanager
async def nats_server(folder: Path) -> AsyncIterator[tuple[RunningServer, Launcher]]:
    """A server of our own."""
    with Launcher(folder / "logs") as launcher:
        yield await start_server(NatsServer(), launcher, folder), launcher


#: Runs a test's coroutine with a bridge.
Over = Callable[[Callable[[Bridge], Awaitable[None]]], None]


@pytest.fixture(params=["in-process", "nats"])
def over(request: pytest.FixtureRequest, tmp_path: Path) -> Over:
    """Run a test's coroutine with a bridge."""

    async def run(test: Callable[[Bridge], Awaitable[None]]) -> None:
        if request.param == "in-process":
            bridge: Bridge = InProcessBridge()
            try:
                await test(bridge)
            finally:
                await bridge.close()
            return
        async with nats_server(tmp_path) as (server, _):
            bridge = await NatsBridge.connect(server.address, sender="Tester")
            try:
                await test(bridge)
            finally:
                await bridge.close()

    return lambda test: asyncio.run(run(test))
