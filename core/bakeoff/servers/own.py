"""Addresses of servers that a user has: whether one fits what it is given for, and what a refusal is."""

from __future__ import annotations

from collections.abc import Sequence

from bakeoff.errors import UsageError
from bakeoff.settings import SettingsInForce


class RefusedError(ConnectionError):
    """A server is there, but does not let us in, or has not what the address names in it."""


def own_address(engine: str, settings: SettingsInForce, name: str, schemes: Sequence[str]) -> str | None:
    """The address in setting ``name``, ``None`` if there is none; its value never gets into a message.

    Raises:
        UsageError: If it is a URL of another kind of server.
    """
    url = str(settings[name] or "")
    if url and url.partition("://")[0] not in schemes:
        begins = " or ".join(f"{scheme}://" for scheme in schemes)
        told = f"{engine}.{name} must be a URL that begins with {begins}"
        if name == "broker_url":
            told += f" while {engine}.broker is {settings['broker']} (--set {engine}.broker, or --broker)"
        raise UsageError(told)
    return url or None
