"""Faults of the network between workers and servers, made by a proxy that all connections of workers pass."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bakeoff.nemesis.fault import FaultMissedError, FaultNotSupportedError, Landing, Need, Target
from bakeoff.proxy import Proxy, ProxyError

_PROXIED = frozenset({Need.PROXY})


@dataclass(frozen=True)
class NetLatency:
    """A slow network.

    Attributes:
        latency_s: On top, each way.
        seconds: How long.
    """

    name: str = "net-latency"
    description: str = "200 ms more each way between workers and servers, for 10 s"
    needs: frozenset[Need] = _PROXIED
    latency_s: float = 0.2
    seconds: float = 10.0

    async def inject(self, target: Target) -> Landing:
        """Delay every byte from now on."""
        return await _told(target, f"latency {self.latency_s}", "delayed")

    async def heal(self, target: Target) -> None:
        """Be fast again when the time is over."""
        async with _cleared(target):
            await asyncio.sleep(self.seconds)


@dataclass(frozen=True)
class NetBlackhole:
    """A network that swallows everything: connections stay open, nobody learns anything.

    Attributes:
        seconds: How long; longer than the steps of the order sagas may take, shorter than most leases.
    """

    name: str = "net-blackhole"
    description: str = "bytes between workers and servers vanish for 15 s, connections stay open"
    needs: frozenset[Need] = _PROXIED
    seconds: float = 15.0

    async def inject(self, target: Target) -> Landing:
        """Swallow every byte from now on."""
        return await _told(target, "blackhole", "swallowed")

    async def heal(self, target: Target) -> None:
        """Pass bytes on again; a connection that lost some is reset, as by a peer that has forgotten it."""
        async with _cleared(target):
            await asyncio.sleep(self.seconds)


@dataclass(frozen=True)
class NetReset:
    """A firewall, or a load balancer, that drops its connections."""

    name: str = "net-reset"
    description: str = "every connection between workers and servers is reset (RST)"
    needs: frozenset[Need] = _PROXIED

    async def inject(self, target: Target) -> Landing:
        """Reset all of them at once; new ones are welcome."""
        return await _told(target, "reset", "reset")

    async def heal(self, target: Target) -> None:
        """Nothing to do."""


def _proxy(target: Target) -> Proxy:
    if target.stack.proxy is None:
        raise FaultNotSupportedError("no connection of its workers passes a proxy of ours")
    return target.stack.proxy


async def _told(target: Target, order: str, done: str) -> Landing:
    proxy, at_s = _proxy(target), time.monotonic()
    try:
        connections = await proxy.tell(order)
        if connections < 1:
            await proxy.tell("clear")
            raise FaultMissedError("no worker had a connection to a server")
    except ProxyError as error:
        raise FaultMissedError(str(error)) from error
    except asyncio.CancelledError:
        await proxy.tell("clear")
        raise
    return Landing((), at_s, f"connections {done}: {connections}")


@asynccontextmanager
async def _cleared(target: Target) -> AsyncIterator[None]:
    """Whatever happens in between, the network is good at the end."""
    try:
        yield
    finally:
        await _proxy(target).tell("clear")
