"""Listens to everything that passes a NATS server, as an operator would with ``nats sub '>'``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import nats
from nats.aio.msg import Msg

from bakeoff.bridge.bridges import ROLE
from bakeoff.bridge.login import login_of
from bakeoff.contract.lab import Lab

#: Under which answers go to whoever asked.
_INBOX = "_INBOX."


@dataclass
class Tap:
    """What was heard: ``(subject, envelope)``, in order."""

    heard: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def events(self, name: str, order: str) -> list[dict[str, Any]]:
        """Events of that name about an order, without answers to commands."""
        return [
            message
            for subject, message in self.heard
            if message.get("eventName") == name
            and not subject.startswith(_INBOX)
            and message["payload"].get("orderId") == order
        ]

    def declined(self, error: str) -> list[dict[str, Any]]:
        """Answers of services that declined because of such an error."""
        answers = (message for _, message in self.heard if message.get("isHandledError"))
        return [one for one in answers if (one["payload"].get("data") or {}).get("type") == error]


@contextmanager
def tapping(lab: Lab) -> Iterator[Tap]:
    """Listen as long as the context lasts."""
    tap = Tap()

    async def hear(message: Msg) -> None:
        try:
            said = json.loads(message.data)
        except ValueError:  # a message of the server's own
            return
        if isinstance(said, dict) and "messageType" in said:
            tap.heard.append((message.subject, said))

    async def listen() -> Any:
        client = await nats.connect(**login_of(lab.stack.deployment.addresses[ROLE]))
        await client.subscribe(">", cb=hear)
        await client.flush()
        return client

    client = lab.thread.call(listen, 20)
    try:
        yield tap
    finally:
        lab.thread.call(client.close, 20)
