"""The bridge over NATS: one connection for commands and events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from bakeoff.bridge.interface import Address, Handler, Listener, Serving
from bakeoff.bridge.nats.commands import Commands
from bakeoff.bridge.nats.connection import Connection
from bakeoff.bridge.nats.events import Events
from bakeoff.saga import JSON

if TYPE_CHECKING:
    from bakeoff.telemetry.tracing import Tracing


class NatsBridge:
    """See ``bakeoff.bridge.Bridge``."""

    name = "nats"

    def __init__(self, connection: Connection, tracing: Tracing | None = None) -> None:
        self._connection = connection
        self._events = Events(connection, tracing)
        self._commands = Commands(connection, self._events, tracing)

    @classmethod
    async def connect(
        cls,
        address: str,
        *,
        sender: str,
        prefix: str = "purista",
        on_closed: Callable[[], None] | None = None,
        tracing: Tracing | None = None,
    ) -> NatsBridge:
        """Connect to ``nats://[user:password@]host:port``.

        Args:
            address: With credentials, if the server wants any.
            sender: Who connects, as every message says.
            prefix: Before every subject.
            on_closed: The connection is lost for good.
            tracing: Of what is served and published.

        Raises:
            BridgeAwayError: If nobody answers there, or refuses the credentials.
        """
        return cls(await Connection.open(address, sender, prefix, on_closed), tracing)

    @property
    def ignored(self) -> Counter[str]:
        """``{why: messages}`` that were no messages of ours."""
        return self._connection.ignored

    @property
    def closed(self) -> bool:
        """Whether the connection is lost for good."""
        return bool(self._connection.client.is_closed)

    async def invoke(
        self,
        address: Address,
        payload: JSON,
        parameter: Mapping[str, JSON] | None = None,
        *,
        timeout_s: float,
        trace: Mapping[str, str] | None = None,
    ) -> JSON:
        """Send a command and wait for its answer."""
        return await self._commands.invoke(address, payload, parameter or {}, timeout_s, trace)

    async def serve(
        self, address: Address, handler: Handler, *, event: str = "", answered: Handler | None = None
    ) -> Serving:
        """Answer a command, several at a time; the answer comes first, then the event."""
        return await self._commands.serve(address, handler, event, answered)

    async def emit(self, name: str, payload: JSON, *, trace: Mapping[str, str] | None = None) -> None:
        """Publish an event and wait until the stream has it."""
        await self._events.emit(name, payload, trace or {})

    async def on_event(self, name: str, listener: Listener, *, durable: str = "") -> Serving:
        """Hear an event, as a message of its own or as a command's answer."""
        return await self._events.hear(name, listener, durable)

    async def forget(self) -> None:
        """Remove the stream of events, and every listener's place in it."""
        await self._events.forget()

    async def close(self) -> None:
        """Close the connection; what is being handled is not waited for (``Serving.stop`` does that)."""
        await self._connection.close()
