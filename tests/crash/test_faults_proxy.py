"""The proxy between workers and servers: a process of its own, tried with real sockets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bakeoff.errors import BakeoffError
from bakeoff.processes import Launch, Launcher, free_ports, is_gone
from bakeoff.proxy import Proxy, ProxyError, start_proxy, through
from bakeoff.servers import RunningServer, ValkeyServer

#: Seconds without an answer after which there is none.
_SILENCE_S = 0.3
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass
class Site:
    """An echo server in this process, and a proxy before it."""

    proxy: Proxy
    port: int
    broken: list[type[Exception]] = field(default_factory=list)
    opened: list[asyncio.StreamWriter] = field(default_factory=list)

    async def connect(self) -> Connection:
        """A connection through the proxy, seen to reach the server."""
        there = await asyncio.open_connection("127.0.0.1", self.port)
        self.opened.append(there[1])
        return there

    async def breaks(self, number: int) -> None:
        """Wait until so many connections were reset on the server's side, and no more."""
        deadline = time.monotonic() + 5
        while len(self.broken) < number and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        assert self.broken == [ConnectionResetError] * number

    async def talking(self) -> Connection:
        """The same, after a first word."""
        there = await self.connect()
        assert await asked(there, b"hello") == b"hello"
        return there


async def asked(connection: Connection, word: bytes) -> bytes:
    """Say a word and return as many bytes of the answer."""
    reader, writer = connection
    writer.write(word)
    await writer.drain()
    return await asyncio.wait_for(reader.readexactly(len(word)), 5)


async def silent(connection: Connection, word: bytes) -> bool:
    """Say a word; whether no answer comes, and no end either."""
    reader, writer = connection
    writer.write(word)
    try:
        await asyncio.wait_for(reader.read(1), _SILENCE_S)
    except TimeoutError:
        return True
    return False


async def refused(there: Site) -> None:
    """Connect and read; the reset may come so soon that even the connect sees it."""
    reader, _ = await there.connect()
    await asyncio.wait_for(reader.read(1), 5)


@asynccontextmanager
async def site(folder: Path, *, listens: bool = True) -> AsyncIterator[Site]:
    broken: list[type[Exception]] = []
    echoes: set[asyncio.Task[None] | None] = set()

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        echoes.add(asyncio.current_task())
        try:
            while word := await reader.read(65_536):
                writer.write(word)
                await writer.drain()
            writer.write(b"bye")
        except OSError as error:
            broken.append(type(error))
        writer.close()

    (port,) = free_ports(1)
    server = await asyncio.start_server(echo, "127.0.0.1", port) if listens else None
    with Launcher(folder / "logs") as launcher:
        child = launcher.start("stands-for-the-server", _sleeper())
        running = RunningServer(ValkeyServer("broker"), f"redis://127.0.0.1:{port}/0", "1", child)
        proxy = await start_proxy([running], launcher, folder)
        assert proxy is not None
        there = Site(proxy, proxy.ports["broker"], broken)
        try:
            yield there
        finally:
            for writer in there.opened:
                writer.transport.abort()
            if server is not None:
                server.close()
            launcher.close()  # and with the proxy every connection of the server
            await asyncio.gather(*filter(None, echoes))


def _sleeper() -> Launch:
    return Launch(argv=["sleep", "600"], stop_within_s=0)


def run(main: Callable[[], Coroutine[None, None, None]]) -> None:
    asyncio.run(main())


def test_what_either_side_says_arrives_whole_and_so_does_the_end(tmp_path: Path) -> None:
    async def main() -> None:
        async with site(tmp_path) as there:
            reader, writer = await there.connect()
            sent = bytes(range(256)) * 20_000  # five megabytes
            writer.write(sent)
            writer.write_eof()
            received = await asyncio.wait_for(reader.read(-1), 20)
            assert received == sent + b"bye"

    run(main)


def test_latency_counts_each_way_and_keeps_the_order(tmp_path: Path) -> None:
    async def main() -> None:
        async with site(tmp_path) as there:
            connection = await there.talking()
            assert await there.proxy.tell("latency 0.2") == 1
            began_s = time.monotonic()
            assert await asked(connection, b"slowly") == b"slowly"
            assert 0.4 <= time.monotonic() - began_s < 5

            connection[1].write(b"one ")
            await connection[1].drain()
            assert await there.proxy.tell("clear") == 0
            connection[1].write(b"two")
            assert await asyncio.wait_for(connection[0].readexactly(7), 5) == b"one two"
            took_s = []
            for _ in range(10):  # the latency would be in each of them, a busy machine is not
                began_s = time.monotonic()
                assert await asked(connection, b"fast") == b"fast"
                took_s.append(time.monotonic() - began_s)
            assert min(took_s) < 0.4

    run(main)


def test_in_a_black_hole_bytes_vanish_and_connections_stay_open(tmp_path: Path) -> None:
    async def main() -> None:
        async with site(tmp_path) as there:
            spoke, kept_quiet = await there.talking(), await there.talking()
            assert await there.proxy.tell("blackhole") == 2
            assert await silent(spoke, b"anybody there?")
            late = await there.connect()
            assert await silent(late, b"me too")

            assert await there.proxy.tell("clear") == 1
            with pytest.raises(ConnectionResetError):
                await asyncio.wait_for(spoke[0].read(1), 5)
            assert await asked(kept_quiet, b"as before") == b"as before"
            assert await asyncio.wait_for(late[0].readexactly(6), 5) == b"me too"
            assert await until_connections(there.proxy, 2)

    run(main)


async def until_connections(proxy: Proxy, number: int) -> bool:
    deadline = time.monotonic() + 5
    while await proxy.tell("connections") != number:
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.02)
    return True


def test_an_end_that_falls_into_the_black_hole_is_not_told(tmp_path: Path) -> None:
    async def main() -> None:
        async with site(tmp_path) as there:
            connection = await there.talking()
            await there.proxy.tell("blackhole")
            connection[1].close()
            await connection[1].wait_closed()
            await asyncio.sleep(_SILENCE_S)
            assert there.broken == []
            assert await there.proxy.tell("connections") == 1, "the server still believes in it"

            await there.proxy.tell("clear")
            assert await until_connections(there.proxy, 0)
            await there.breaks(1)

    run(main)


def test_a_reset_reaches_both_sides_and_new_connections_are_welcome(tmp_path: Path) -> None:
    async def main() -> None:
        async with site(tmp_path) as there:
            first, second = await there.talking(), await there.talking()
            assert await there.proxy.tell("reset") == 2
            for connection in (first, second):
                with pytest.raises(ConnectionResetError):
                    await asyncio.wait_for(connection[0].read(1), 5)
            assert await until_connections(there.proxy, 0)
            await there.breaks(2)
            await there.talking()

    run(main)


def test_where_no_server_listens_a_connection_is_reset(tmp_path: Path) -> None:
    async def main() -> None:
        async with site(tmp_path, listens=False) as there:
            with pytest.raises(ConnectionResetError):
                await refused(there)
            assert await there.proxy.tell("connections") == 0

    run(main)


def test_what_it_does_not_understand_it_says(tmp_path: Path) -> None:
    async def main() -> None:
        async with site(tmp_path) as there:
            with pytest.raises(ProxyError, match="there is no order explode"):
                await there.proxy.tell("explode")
            with pytest.raises(ProxyError, match="soon is no number of seconds"):
                await there.proxy.tell("latency soon")
            with pytest.raises(ProxyError, match="nan is no number of seconds"):
                await there.proxy.tell("latency nan")
            child = there.proxy.running.child
            assert child is not None
            child.popen.kill()
            child.popen.wait()
            assert is_gone(child.pid)
            with pytest.raises(ProxyError, match="the proxy does not answer"):
                await there.proxy.tell("connections")

    run(main)


@pytest.mark.parametrize(
    ("direct", "led"),
    [
        ("127.0.0.1:7233", "127.0.0.1:9"),
        ("redis://127.0.0.1:6400/0", "redis://127.0.0.1:9/0"),
        ("amqp://guest:gu%40est@127.0.0.1:5672//", "amqp://guest:gu%40est@127.0.0.1:9//"),
        ("redis://localhost:6400/0?username=me", "redis://127.0.0.1:9/0?username=me"),
    ],
)
def test_an_address_leads_through_it_and_keeps_everything_else(direct: str, led: str) -> None:
    assert through(direct, 9) == led


def test_servers_of_others_are_not_behind_it(tmp_path: Path) -> None:
    """There is nothing to do a fault to."""

    async def main() -> None:
        foreign = RunningServer(ValkeyServer("broker"), "redis://127.0.0.1:6379/0", "1")
        with Launcher(tmp_path / "logs") as launcher:
            assert await start_proxy([foreign], launcher, tmp_path) is None

    run(main)
    assert issubclass(ProxyError, BakeoffError)
