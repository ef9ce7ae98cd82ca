"""A broker without memory left: it answers and can be read, but refuses whatever it would have to keep."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from redis import Redis
from redis.exceptions import OutOfMemoryError, RedisError

from bakeoff import hookimpl
from bakeoff.nemesis import Fault, FaultMissedError, FaultNotSupportedError, Landing, Need, Target

#: The limit that a Valkey has which bakeoff starts: none.
_NO_LIMIT = 0
#: Seconds for an answer; it is on this machine.
_ANSWER_S = 2.0


@dataclass(frozen=True)
class BrokerFull:
    """Valkey's ``maxmemory`` is reached, and its policy is to evict nothing.

    Attributes:
        seconds: How long.
        limit_bytes: What it may use; less than it has in use already.
    """

    name: str = "broker-full"
    description: str = "the engine's Valkey has no memory left for 5 s: it refuses whatever it would keep"
    needs: frozenset[Need] = frozenset()
    seconds: float = 5.0
    limit_bytes: int = 1

    async def inject(self, target: Target) -> Landing:
        """Lower the limit and see a write refused; nothing is awaited, so nothing can come in between."""
        valkey, at_s = _valkey(target), time.monotonic()
        try:
            valkey.config_set("maxmemory", self.limit_bytes)
            valkey.set("bakeoff-broker-full", "a write", px=1)
        except OutOfMemoryError as error:
            return Landing((), at_s, f"a write was refused: {error}")
        except RedisError as error:
            valkey.config_set("maxmemory", _NO_LIMIT)
            raise FaultMissedError(f"it did not answer: {error}") from error
        valkey.config_set("maxmemory", _NO_LIMIT)
        raise FaultMissedError("a write was taken although there was no memory left")

    async def heal(self, target: Target) -> None:
        """Give it its memory back when the time is over. Whatever ends the wait, a cancellation too."""
        try:
            await asyncio.sleep(self.seconds)
        finally:
            _valkey(target).config_set("maxmemory", _NO_LIMIT)


def _valkey(target: Target) -> Redis:
    """A client of the engine's first server; one that is none of ours is refused by ``target.server``."""
    running = target.server()
    if running.server.kind != "valkey":
        raise FaultNotSupportedError(f"{running.server.kind} has another way of running out of memory")
    return Redis.from_url(running.address, socket_timeout=_ANSWER_S)


@hookimpl
def bakeoff_faults() -> Sequence[Fault]:
    """Called by ``bakeoff crash``; the name is the one for ``--fault``."""
    return (BrokerFull(),)
