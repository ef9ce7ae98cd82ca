"""A server that comes back on its own port finds it taken for a moment."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from bakeoff.processes import Launcher
from bakeoff.servers import ValkeyServer, restart_server, start_server

pytestmark = [pytest.mark.service]


def test_a_port_that_a_stranger_holds_for_a_moment_is_waited_for(tmp_path: Path) -> None:
    async def restarted() -> None:
        with Launcher(tmp_path / "logs") as launcher:
            running = await start_server(ValkeyServer("broker"), launcher, tmp_path)
            assert running.child is not None
            first = running.child.pid
            await asyncio.to_thread(launcher.stop, running.child)
            with socket.socket() as stranger:
                stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                stranger.bind(("127.0.0.1", running.ports["client"]))
                stranger.listen()
                asyncio.get_running_loop().call_later(1.5, stranger.close)
                await restart_server(running, launcher)
            assert running.child.pid != first
            assert await running.server.probe(running.address)

    asyncio.run(restarted())
