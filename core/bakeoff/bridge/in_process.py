"""The bridge inside one process: nothing travels, everything else is the same.

Commands are function calls; a durable listener keeps its events as long as the process lives.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections import deque
from collections.abc import Mapping

from bakeoff.bridge.interface import Address, Event, Handler, Listener, Request, Serving
from bakeoff.errors import CommandTimeoutError, HandledError, NotServedError, UnhandledError
from bakeoff.saga import JSON

_AGAIN_S = 0.05


class InProcessBridge:
    """See ``bakeoff.bridge.Bridge``."""

    name = "in-process"

    def __init__(self, sender: str = "Client") -> None:
        self._sender = sender
        self._served: dict[Address, deque[_Served]] = {}
        self._heard: dict[str, list[_Mailbox]] = {}
        self._mailboxes: dict[tuple[str, str], _Mailbox] = {}
        self._running: set[asyncio.Task[JSON]] = set()

    @property
    def ignored(self) -> Mapping[str, int]:
        """Nothing: there are no strangers in here."""
        return {}

    @property
    def closed(self) -> bool:
        """Never: there is no connection."""
        return False

    async def invoke(
        self,
        address: Address,
        payload: JSON,
        parameter: Mapping[str, JSON] | None = None,
        *,
        timeout_s: float,
        trace: Mapping[str, str] | None = None,
    ) -> JSON:
        """Call whoever serves the command; several take turns."""
        serving = self._served.get(address)
        if not serving:
            raise NotServedError(f"nobody serves {address} in this process")
        serving.rotate(-1)
        served = serving[-1]
        request = Request(
            address=address,
            payload=_copied(payload),
            parameter=_copied(dict(parameter or {})),
            trace=trace or {},
            sender=self._sender,
        )
        task = asyncio.ensure_future(served.handler(request))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        try:
            # Whoever stops waiting does not stop the service.
            result = _copied(await asyncio.wait_for(asyncio.shield(task), timeout_s))
        except HandledError:
            raise
        except TimeoutError:
            if task.done():
                raise
            raise CommandTimeoutError(f"{address} did not answer within {timeout_s:g} s") from None
        except Exception as error:
            raise UnhandledError(str(error), type(error).__name__) from error
        if served.event:
            if served.answered is not None:
                await served.answered(request)
            await self.emit(served.event, result, trace=trace)
        return result

    async def emit(self, name: str, payload: JSON, *, trace: Mapping[str, str] | None = None) -> None:
        """Hand an event to whoever listens."""
        event = Event(
            name=name, payload=_copied(payload), id=uuid.uuid4().hex, sender=self._sender, trace=trace or {}
        )
        for mailbox in self._heard.get(name, ()):
            mailbox.put(event)

    async def serve(
        self, address: Address, handler: Handler, *, event: str = "", answered: Handler | None = None
    ) -> Serving:
        """Answer a command."""
        served = _Served(self._served, address, handler, event, answered)
        self._served.setdefault(address, deque()).append(served)
        return served

    async def on_event(self, name: str, listener: Listener, *, durable: str = "") -> Serving:
        """Hear an event; a durable listener that comes back finds what it missed."""
        mailbox = self._mailboxes.get((name, durable)) if durable else None
        if mailbox is None:
            mailbox = _Mailbox(self._heard, name, keeps=bool(durable))
            self._heard.setdefault(name, []).append(mailbox)
            if durable:
                self._mailboxes[name, durable] = mailbox
        mailbox.open(listener)
        return mailbox

    async def close(self) -> None:
        """Stop every listener; what is being handled goes on."""
        for mailboxes in list(self._heard.values()):
            for mailbox in list(mailboxes):
                await mailbox.stop()


class _Served:
    def __init__(
        self,
        registry: dict[Address, deque[_Served]],
        address: Address,
        handler: Handler,
        event: str,
        answered: Handler | None,
    ) -> None:
        self._registry, self._address = registry, address
        self.handler, self.event, self.answered = handler, event, answered

    async def stop(self) -> None:
        self._registry[self._address].remove(self)


class _Mailbox:
    """Events of one listener, in order."""

    def __init__(self, registry: dict[str, list[_Mailbox]], name: str, *, keeps: bool) -> None:
        self._registry, self._name, self._keeps = registry, name, keeps
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    def put(self, event: Event) -> None:
        self._events.put_nowait(event)

    def open(self, listener: Listener) -> None:
        self._task = asyncio.create_task(self._hear(listener))

    async def _hear(self, listener: Listener) -> None:
        while True:
            event = await self._events.get()
            while True:
                try:
                    await listener(event)
                    break
                except asyncio.CancelledError:
                    self._events.put_nowait(event)
                    raise
                except Exception:
                    if not self._keeps:
                        break
                    await asyncio.sleep(_AGAIN_S)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        if not self._keeps and self in self._registry[self._name]:
            self._registry[self._name].remove(self)


def _copied(value: JSON) -> JSON:
    """As if it had travelled."""
    return json.loads(json.dumps(value))
