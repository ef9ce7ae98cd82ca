"""The harness's end of the proxy."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from bakeoff.errors import BakeoffError
from bakeoff.servers import RunningServer

_ANSWER_S = 5.0


class ProxyError(BakeoffError):
    """The proxy does not answer, or does not know the order."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """A running proxy.

    Attributes:
        running: Its process; its address is the control port.
        ports: ``{server role: port that stands for it}``.
    """

    running: RunningServer
    ports: Mapping[str, int]

    def addresses(self, direct: Mapping[str, str]) -> dict[str, str]:
        """The same addresses, those of servers behind the proxy leading through it."""
        return {
            role: through(address, self.ports[role]) if role in self.ports else address
            for role, address in direct.items()
        }

    async def tell(self, order: str) -> int:
        """Give one order (see ``bakeoff.proxy.relay``); return the number of connections it applied to.

        Raises:
            ProxyError: If the proxy does not answer or does not obey.
        """
        host, _, port = self.running.address.rpartition(":")
        try:
            async with asyncio.timeout(_ANSWER_S):
                answers, orders = await asyncio.open_connection(host, int(port))
                try:
                    orders.write(f"{order}\n".encode())
                    line = (await answers.readline()).decode().strip()
                finally:
                    orders.close()
        except (OSError, TimeoutError) as error:
            raise ProxyError(f"the proxy does not answer ({type(error).__name__}: {error})") from error
        said, _, rest = line.partition(" ")
        if said != "ok":
            raise ProxyError(f"the proxy does not obey {order!r}: {rest or 'it has ended'}")
        return int(rest)


def host_and_port(address: str) -> tuple[str, int]:
    """Of a URL or of ``host:port``."""
    url = urlsplit(address if "://" in address else f"//{address}")
    if not url.hostname or not url.port:
        raise ProxyError("an address without host and port cannot lead through the proxy")
    return url.hostname, url.port


def through(address: str, port: int) -> str:
    """The same address with the loopback interface and another port."""
    if "://" not in address:
        return f"127.0.0.1:{port}"
    url = urlsplit(address)
    login, at, _ = url.netloc.rpartition("@")
    return urlunsplit(url._replace(netloc=f"{login}{at}127.0.0.1:{port}"))
