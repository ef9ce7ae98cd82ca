"""What arrives over NATS, and how somebody stops to take it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js import JetStreamContext

from bakeoff.bridge.interface import Event, Listener, Serving
from bakeoff.errors import BridgeAwayError

#: Takes one message.
Take = Callable[[Msg], Awaitable[None]]

#: Seconds for which a listener waits for the next events at a time.
_FETCH_S = 1.0
_AT_ONCE = 16
#: Seconds after which an event comes again that its listener raised at.
_AGAIN_S = 0.5
#: Seconds after which an event comes again whose listener says nothing any more: it was killed.
ACK_WAIT_S = 3.0
#: Seconds that what is being handled gets when somebody stops.
_LAST_S = 10.0

_logger = logging.getLogger(__name__)


class Subscribed:
    """A plain subscription: every message is handled in a task of its own, for the library waits for each."""

    def __init__(self, take: Take) -> None:
        self._take = take
        self._tasks: set[asyncio.Task[None]] = set()
        self._subscription: Subscription | None = None

    async def begin(self, client: Client, subject: str, queue: str) -> None:
        """Subscribe; members of a queue share the messages."""

        async def receive(message: Msg) -> None:
            task = asyncio.create_task(self._handle(message))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        self._subscription = await client.subscribe(subject, queue, cb=receive)

    async def _handle(self, message: Msg) -> None:
        try:
            await self._take(message)
        except Exception:
            _logger.exception("a message on the bridge was not handled")

    async def stop(self) -> None:
        """Take nothing new; wait for what is being handled."""
        if self._subscription is not None:
            with contextlib.suppress(nats.errors.Error):
                await self._subscription.drain()  # type: ignore[no-untyped-call]
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_LAST_S)


class Pulling:
    """A durable listener: what it has not acknowledged comes again, to it or to whoever bears its name.

    Args:
        name: Of the event.
        subscription: The listener's place in the stream.
        place: Finds it again, or makes it anew where the server has lost it; raises ``BridgeAwayError``.
        event_of: Reads a message; ``None`` if it is no event.
        listener: Who hears it.
    """

    def __init__(
        self,
        name: str,
        subscription: JetStreamContext.PullSubscription,
        place: Callable[[], Awaitable[JetStreamContext.PullSubscription]],
        event_of: Callable[[bytes], Event | None],
        listener: Listener,
    ) -> None:
        self._name = name
        self._subscription = subscription
        self._place = place
        self._event_of = event_of
        self._listener = listener
        self._lost = False
        self._task = asyncio.create_task(self._pull())

    async def _pull(self) -> None:
        while True:
            try:
                messages: Sequence[Any] = await self._subscription.fetch(_AT_ONCE, timeout=_FETCH_S)
                await asyncio.gather(*(self._hear(message) for message in messages))
            except (nats.errors.TimeoutError, TimeoutError):
                continue
            except nats.errors.ConnectionClosedError:
                return
            except Exception as error:  # whatever it is, a listener must not go deaf while its process lives
                await self._find_again(error)

    async def _find_again(self, error: Exception) -> None:
        """After a failure: the server was away, or it has lost the stream or the listener's place in it."""
        if not self._lost:
            self._lost = True
            _logger.warning("event %s is not heard: %s", self._name, error)
        await asyncio.sleep(_AGAIN_S)
        try:
            found = await self._place()
        except BridgeAwayError:
            return
        with contextlib.suppress(nats.errors.Error):
            await self._subscription.unsubscribe()
        self._subscription = found
        self._lost = False
        _logger.warning("event %s is heard again", self._name)

    async def _hear(self, message: Msg) -> None:
        event = self._event_of(message.data)
        with contextlib.suppress(nats.errors.Error):  # not acknowledged: it comes again
            if event is None:
                await message.term()
                return
            at_it = asyncio.create_task(_say_so(message))
            try:
                await self._listener(event)
            except Exception as error:
                _logger.warning("event %s comes again: %s", event.name, error)
                await message.nak(_AGAIN_S)
                return
            finally:
                at_it.cancel()
            await message.ack()

    async def stop(self) -> None:
        """Hear nothing more; the events wait."""
        self._task.cancel()
        await asyncio.wait([self._task])
        with contextlib.suppress(nats.errors.Error):
            await self._subscription.unsubscribe()


async def _say_so(message: Msg) -> None:
    """As long as somebody is at it, the server keeps the event for him."""
    with contextlib.suppress(nats.errors.Error):
        while True:
            await asyncio.sleep(ACK_WAIT_S / 3)
            await message.in_progress()


class All:
    """Several registrations as one."""

    def __init__(self, several: Sequence[Serving]) -> None:
        self._several = several

    async def stop(self) -> None:
        """Stop each of them."""
        await asyncio.gather(*(one.stop() for one in self._several))
