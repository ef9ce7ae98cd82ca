"""The bridges that a deployment can have, and how a process of it connects."""

from __future__ import annotations

import contextlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bakeoff.bridge.interface import Bridge
from bakeoff.bridge.portal import Portal
from bakeoff.credentials import hide_credentials
from bakeoff.deployment import Deployment
from bakeoff.errors import BridgeAwayError, EngineUnavailableError, UnknownNameError, UsageError
from bakeoff.servers.nats import nats_binary

if TYPE_CHECKING:
    from bakeoff.telemetry.tracing import Tracing

#: No bridge: steps act in the worker's own process.
IN_PROCESS = "in-process"
NATS = "nats"
#: Role of the bridge's server in ``Deployment.addresses``.
ROLE = "bridge"
_SCHEMES = ("nats", "tls")
#: PURISTA's own prefix.
PREFIX = "purista"
_PREFIX = re.compile(r"^[A-Za-z0-9_-]{1,64}$")
_STEPS = "BakeoffOrchestrator"


@dataclass(frozen=True, slots=True)
class ChosenBridge:
    """A bridge that was asked for.

    Attributes:
        url: Its server, if that is not to be started.
        shared: The prefix of the subjects there, where services of others are to be reached.
    """

    name: str = IN_PROCESS
    url: str | None = None
    shared: str = ""

    def __str__(self) -> str:
        return self.name if self.url is None else f"{self.name}, yours"


NO_BRIDGE = ChosenBridge()


def choose_bridge(text: str) -> ChosenBridge:
    """Read ``--bridge``, and find out before anything is started that it cannot be had.

    Raises:
        UnknownNameError: If there is no such bridge.
        EngineUnavailableError: If its server or client is not installed.
    """
    scheme, separator, rest = text.partition("://")
    if separator and scheme in _SCHEMES:
        nats_client()
        server, _, shared = rest.partition("/")
        if shared and not _PREFIX.fullmatch(shared):
            raise UsageError(f"--bridge .../{shared}: a prefix is like purista: letters, digits, '_' and '-'")
        return ChosenBridge(NATS, f"{scheme}://{server}", shared)
    if text == NATS:
        nats_client()
        nats_binary()
    elif text != IN_PROCESS:
        raise UnknownNameError(
            f"--bridge {hide_credentials(text)}: give {IN_PROCESS}, {NATS}, or your server's nats://host:port"
        )
    return ChosenBridge(text)


def bridge_prefix(bridge: ChosenBridge, prefix: str) -> str:
    """Before every subject of one deployment: PURISTA's own word on a server of ours.

    On anybody else's no two deployments must have the same: their services would share each other's work.
    """
    return bridge.shared or (PREFIX if bridge.url is None else f"{prefix}{secrets.token_hex(3)}-{PREFIX}")


async def connect_bridge(
    deployment: Deployment,
    *,
    sender: str,
    on_closed: Callable[[], None] | None = None,
    tracing: Tracing | None = None,
) -> Bridge:
    """Connect to the deployment's bridge.

    Args:
        deployment: Whose.
        sender: Who connects, as every message says.
        on_closed: The connection is lost for good.
        tracing: Of what is served and published over it.

    Raises:
        EngineUnavailableError: If the client is not installed.
        BridgeAwayError: If it does not answer.
    """
    nats_client()
    from bakeoff.bridge.nats import NatsBridge

    return await NatsBridge.connect(
        deployment.addresses[ROLE],
        sender=sender,
        prefix=deployment.bridge_prefix,
        on_closed=on_closed,
        tracing=tracing,
    )


async def forget_events(deployment: Deployment) -> None:
    """Leave nothing of the deployment's events on a server that is not ours; one that is away keeps them."""
    from bakeoff.bridge.nats import NatsBridge

    with contextlib.suppress(BridgeAwayError):
        bridge = await connect_bridge(deployment, sender=_STEPS)
        try:
            if isinstance(bridge, NatsBridge):
                await bridge.forget()
        finally:
            await bridge.close()


def nats_client() -> None:
    """``EngineUnavailableError`` if NATS's client is missing."""
    try:
        import nats  # noqa: F401
    except ImportError as error:
        raise EngineUnavailableError(
            f'the client of NATS is not installed ({error}); install it: pip install "bakeoff[nats]"'
        ) from error


def remote_of(deployment: Deployment, tracing: Tracing | None = None) -> Portal | None:
    """How steps of a worker of this deployment reach their services; ``None``: they act themselves.

    ``tracing``: of the commands that they send.
    """
    if deployment.bridge == IN_PROCESS:
        return None

    async def connect() -> Bridge:
        return await connect_bridge(deployment, sender=_STEPS)

    return Portal(connect, tracing)
