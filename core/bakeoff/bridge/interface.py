"""What a bridge is: commands to services, events from them, whoever carries both.

A service has a name and a version and serves commands; it may be one process or many. A command has one
answer: a result, a decline (``HandledError``), a failure (``UnhandledError``), or none.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from bakeoff.saga import JSON

#: Of commands and events: answered or emitted, in words of their own.
Handler = Callable[["Request"], Awaitable[JSON]]
Listener = Callable[["Event"], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A command of a service."""

    service: str
    command: str
    version: str = "1"

    def __str__(self) -> str:
        return f"{self.service}.{self.version}.{self.command}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A command as its service receives it.

    Attributes:
        payload: What is asked, in the words of the domain.
        parameter: What belongs to the asking: idempotency key, attempt, ...
        trace: W3C trace context of the sender (``traceparent``), if it has one.
        sender: Name of the asking service.
    """

    address: Address
    payload: JSON
    parameter: Mapping[str, JSON] = field(default_factory=dict)
    trace: Mapping[str, str] = field(default_factory=dict)
    sender: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened. ``id``: of the message; an event that is emitted again has another one."""

    name: str
    payload: JSON
    id: str = ""
    sender: str = ""
    trace: Mapping[str, str] = field(default_factory=dict)


class Serving(Protocol):
    """A registration that can be ended."""

    async def stop(self) -> None:
        """Take nothing new; what is being handled is answered."""


class Bridge(Protocol):
    """A connected bridge; all methods run on one event loop.

    Every method raises ``BridgeAwayError`` if the bridge itself does not answer.
    """

    name: str

    @property
    def ignored(self) -> Mapping[str, int]:
        """``{why: messages}`` that arrived and were none of ours."""

    @property
    def closed(self) -> bool:
        """Whether the connection is lost for good; whoever needs the bridge connects again."""

    async def invoke(
        self,
        address: Address,
        payload: JSON,
        parameter: Mapping[str, JSON] | None = None,
        *,
        timeout_s: float,
        trace: Mapping[str, str] | None = None,
    ) -> JSON:
        """Send a command and wait for its answer.

        Raises:
            HandledError: The service declined.
            UnhandledError: The service failed.
            CommandTimeoutError: No answer within ``timeout_s``: it may have run, or may run later.
            NotServedError: Nobody serves it: it has certainly not run.
        """

    async def emit(self, name: str, payload: JSON, *, trace: Mapping[str, str] | None = None) -> None:
        """Publish an event; whoever listens durably gets it, now or later."""

    async def serve(
        self, address: Address, handler: Handler, *, event: str = "", answered: Handler | None = None
    ) -> Serving:
        """Answer a command; its successful answers are also events called ``event``, if it has a name.

        Whoever serves the same command shares the work. ``handler`` raises ``HandledError`` to decline;
        ``answered`` is called between an answer and its event.
        """

    async def on_event(self, name: str, listener: Listener, *, durable: str = "") -> Serving:
        """Hear every event of that name.

        With ``durable``, the name of this listener, none is lost while nobody listens, and one that the
        listener raised at comes again.
        """

    async def close(self) -> None:
        """Let go of every connection."""
