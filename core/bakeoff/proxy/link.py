"""One connection through the proxy, and the network that all of them share."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from dataclasses import dataclass, field

_CHUNK = 65_536
#: Chunks on their way in one direction; then the sender is not read from any more.
_ON_THEIR_WAY = 64
#: Seconds after which a byte that is delayed notices that the network has become fast again.
_SLICE_S = 0.05


@dataclass(slots=True)
class Network:
    """What is wrong with the network now.

    Attributes:
        latency_s: Seconds that a byte needs longer, each way.
        links: Connections that reach from a worker to its server.
    """

    latency_s: float = 0.0
    links: set[Link] = field(default_factory=set)
    _light: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._light.set()

    @property
    def dark(self) -> bool:
        """Whether every byte vanishes."""
        return not self._light.is_set()

    def darken(self) -> int:
        """From now on bytes vanish; return the number of connections that this applies to."""
        self._light.clear()
        return len(self.links)

    def delay(self, seconds: float) -> int:
        """From now on bytes need so much longer; return the number of connections that this applies to."""
        self.latency_s = seconds
        return len(self.links)

    def reset(self) -> int:
        """Reset every connection on both sides; return how many there were."""
        return self._reset(list(self.links))

    def clear(self) -> int:
        """Be a good network again; return how many connections had lost bytes, and were reset therefore.

        What such a connection still carried would have a hole in it. A peer that has forgotten it answers so.
        """
        self.latency_s = 0.0
        self._light.set()
        return self._reset([link for link in self.links if link.lost])

    async def light(self) -> None:
        """Wait while every byte vanishes."""
        await self._light.wait()

    @staticmethod
    def _reset(links: list[Link]) -> int:
        for link in links:
            link.reset()
        return len(links)


@dataclass(slots=True, eq=False)
class Link:
    """A connection of a worker and the one to its server behind it.

    Attributes:
        network: That both belong to.
        worker, server: Writers of both sides.
        lost: Whether bytes, or an end, have vanished.
    """

    network: Network
    worker: asyncio.StreamWriter
    server: asyncio.StreamWriter
    lost: bool = False

    async def carry(self, from_worker: asyncio.StreamReader, from_server: asyncio.StreamReader) -> None:
        """Pass on what either side says, in order, until both have ended or the connection breaks."""
        self.network.links.add(self)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(from_worker, self.server))
                both.create_task(self._pump(from_server, self.worker))
        except* OSError:
            self.reset()
        finally:
            self.network.links.discard(self)
            for writer in (self.worker, self.server):
                writer.close()

    def reset(self) -> None:
        """End both sides as a peer that knows nothing of the connection would."""
        for writer in (self.worker, self.server):
            reset(writer)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read ahead of the delivery, so that a delay does not make the connection narrower."""
        loop = asyncio.get_running_loop()
        on_their_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_ON_THEIR_WAY)
        async with asyncio.TaskGroup() as both:
            both.create_task(self._deliver(on_their_way, writer))
            chunk = b"not yet"
            while chunk:
                chunk = await reader.read(_CHUNK)  # empty at the end
                await on_their_way.put((loop.time() + self.network.latency_s, chunk))

    async def _deliver(
        self, on_their_way: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter
    ) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due, chunk = await on_their_way.get()
            while self.network.latency_s and (left_s := due - loop.time()) > 0:
                await asyncio.sleep(min(left_s, _SLICE_S))
            if self.network.dark:
                self.lost = True
            if self.lost:
                if not chunk:
                    await self.network.light()  # the other side does not learn of the end before that
                    raise ConnectionResetError
                continue
            if not chunk:
                with contextlib.suppress(OSError):  # the other side may have ended too
                    writer.write_eof()
                return
            writer.write(chunk)
            await writer.drain()


def reset(writer: asyncio.StreamWriter) -> None:
    """Close a connection with RST: what is on its way is thrown away, and the peer gets an error."""
    raw: socket.socket | None = writer.get_extra_info("socket")
    if raw is not None and not writer.transport.is_closing():
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
