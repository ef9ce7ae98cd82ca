"""A port that was free a moment ago may be taken when the server binds it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from bakeoff.errors import ServerStartError
from bakeoff.processes import Launch, Launcher
from bakeoff.servers import ValkeyServer, start_server


class Unlucky(ValkeyServer):
    """Is launched on a port that somebody else has, as often as it is told."""

    def __init__(self, taken: int, times: int) -> None:
        super().__init__(role="broker")
        self.taken, self.times = taken, times

    def launch(self, folder: Path, ports: Mapping[str, int]) -> Launch:
        self.times -= 1
        return super().launch(folder, {"client": self.taken} if self.times >= 0 else ports)


@pytest.fixture
def taken() -> Iterator[int]:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_server_whose_port_was_taken_gets_another(launcher: Launcher, tmp_path: Path, taken: int) -> None:
    running = asyncio.run(start_server(Unlucky(taken, 2), launcher, tmp_path))

    assert running.child is not None
    assert running.child.alive
    assert str(taken) not in running.address


def test_it_does_not_try_for_ever(launcher: Launcher, tmp_path: Path, taken: int) -> None:
    with pytest.raises(ServerStartError, match="ended at once"):
        asyncio.run(start_server(Unlucky(taken, 99), launcher, tmp_path))
