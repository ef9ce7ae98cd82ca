"""What a client says when a server that it needs does not answer."""

from __future__ import annotations

import asyncio

from bakeoff.credentials import hide_credentials, without_credentials
from bakeoff.deployment import Deployment
from bakeoff.errors import ServerAwayError
from bakeoff.servers.valkey import ValkeyServer

#: Seconds for an answer to one request.
_LOOK_S = 2.0


def server_away(deployment: Deployment, role: str, error: BaseException) -> ServerAwayError:
    """The error that names role and address of the server, and a library's reason; nothing secret is in it.

    Args:
        deployment: Whose server it is.
        role: Its key in ``Deployment.addresses``; where it has none, the broker has its part.
        error: What the library raised.
    """
    if role not in deployment.addresses:
        role = "broker"
    address = deployment.addresses[role]
    reason = without_credentials(_said(error), *deployment.addresses.values())
    return ServerAwayError(
        f"the {role} server of {deployment.engine} at {hide_credentials(address)} does not answer ({reason})"
    )


def _said(error: BaseException) -> str:
    """The message in one line; the type where there is none."""
    return " ".join(str(error).split()) or type(error).__name__


async def silence_of(deployment: Deployment, role: str) -> ServerAwayError | None:
    """Ask a Valkey or Redis of the deployment whether it is there; ``None`` if it answers.

    For a client that has waited in vain: it must not tell of a saga what is true of a server.
    """
    server = ValkeyServer(role=role)
    try:
        async with asyncio.timeout(_LOOK_S):
            await server.probe(deployment.addresses.get(role) or deployment.addresses["broker"])
    except Exception as error:  # of whatever kind: it is no answer
        return server_away(deployment, role, error)
    return None
