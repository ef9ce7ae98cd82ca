"""A connection to NATS, and who we are on it; what arrives that is none of ours is counted, and no more."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any

import nats.errors
from nats.aio.client import Client
from nats.js.errors import APIError

from bakeoff.bridge import envelope
from bakeoff.bridge.envelope import Party
from bakeoff.bridge.interface import Serving
from bakeoff.bridge.login import login_of
from bakeoff.bridge.naming import Subject
from bakeoff.bridge.nats.receiving import Subscribed, Take
from bakeoff.credentials import hide_credentials, without_credentials
from bakeoff.errors import BridgeAwayError, MalformedMessageError

#: What the library raises when the server does not answer, or not as it should.
SILENCES = (nats.errors.Error, APIError, OSError, TimeoutError)
_CONNECT_S = 5
_RECONNECT_S = 0.2

_logger = logging.getLogger(__name__)


class Connection:
    """What commands and events share.

    Attributes:
        client: Of the library.
        prefix: Before every subject.
        me: Who sends.
        ignored: ``{why: messages}`` that were no messages of ours.
    """

    def __init__(self, client: Client, address: str, sender: str, prefix: str) -> None:
        self.client = client
        self.prefix = prefix
        self.me = Party(service=sender, instance=uuid.uuid4().hex)
        self.ignored: Counter[str] = Counter()
        self._address = address

    @classmethod
    async def open(
        cls, address: str, sender: str, prefix: str, on_closed: Callable[[], None] | None
    ) -> Connection:
        """Connect; arguments and errors are those of ``NatsBridge.connect``."""
        told: list[Exception] = []

        async def hear(error: Exception) -> None:
            """The library would print a traceback whenever the connection breaks; the calls say it."""
            if not any("uthoriz" in str(one) for one in told):  # what follows a refusal tells less
                told[:] = [error]
            _logger.info("NATS: %s", error)

        async def close() -> None:
            if on_closed is not None:
                on_closed()

        client = Client()
        try:
            async with asyncio.timeout(_CONNECT_S):
                await client.connect(
                    **login_of(address),
                    name=sender,
                    closed_cb=close,
                    allow_reconnect=True,
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=_RECONNECT_S,  # type: ignore[arg-type] # a part of a second is taken as well
                    connect_timeout=_CONNECT_S,
                    error_cb=hear,
                )
        except SILENCES as error:
            with contextlib.suppress(*SILENCES):
                await client.close()
            # It tries again and again; why it did not succeed it only tells meanwhile.
            raise _away(address, told[0] if told else error) from error
        return cls(client, address, sender, prefix)

    @property
    def shown(self) -> str:
        """The address, without credentials."""
        return hide_credentials(self._address)

    def from_me(self, message_type: str, **more: str) -> Subject:
        """Subject of a message that we send."""
        return Subject(
            message_type=message_type,
            sender_instance=self.me.instance,
            sender_service=self.me.service,
            sender_version=self.me.version,
            sender_target=self.me.target,
            **more,
        )

    async def subscribed(self, subject: str, take: Take, queue: str = "") -> Serving:
        """Take what arrives from now on; members of a queue share the messages.

        Raises:
            BridgeAwayError: If the server does not answer.
        """
        try:
            subscription = Subscribed(take)
            await subscription.begin(self.client, subject, queue)
            await self.client.flush(_CONNECT_S)  # what is sent from now on is heard
        except SILENCES as error:
            raise self.away(error) from error
        return subscription

    def read(self, data: bytes) -> dict[str, Any] | None:
        """A message of ours; what is none is ignored and counted."""
        try:
            return envelope.read(data)
        except MalformedMessageError as error:
            self.ignore(str(error))
            return None

    def ignore(self, why: str) -> None:
        """Count a message that is none of ours; ``why`` begins with the kind of mistake, up to a colon."""
        kind = why.partition(":")[0]
        self.ignored[kind] += 1
        if self.ignored[kind] == 1:  # whoever floods us must not fill the log as well
            _logger.warning("ignored on the bridge: %s; more of that kind are only counted", why)

    def words(self, error: Exception) -> str:
        """What the library says, without credentials."""
        return _words(error, self._address)

    def away(self, error: Exception) -> BridgeAwayError:
        """Say that nobody answers there."""
        return _away(self._address, error)

    async def close(self) -> None:
        """Close it; what is being handled is not waited for."""
        with contextlib.suppress(*SILENCES):
            await self.client.close()


def _words(error: Exception, address: str) -> str:
    own = str(error) or type(error).__name__
    return without_credentials(" ".join(own.split()), address)


def _away(address: str, error: Exception) -> BridgeAwayError:
    return BridgeAwayError(f"no NATS answers at {hide_credentials(address)} ({_words(error, address)})")
