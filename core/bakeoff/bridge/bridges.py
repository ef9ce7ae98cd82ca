"""The bridge of a deployment: chosen before it starts, and connected to by each of its processes."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bakeoff.bridge.interface import Bridge
from bakeoff.bridge.plugged import bridge_called, bridge_of_scheme
from bakeoff.bridge.portal import Portal
from bakeoff.deployment import Deployment

if TYPE_CHECKING:
    from bakeoff.servers import Server
    from bakeoff.telemetry.tracing import Tracing

#: No bridge: steps act in the worker's own process.
IN_PROCESS = "in-process"
#: Role of the bridge's server in ``Deployment.addresses``.
ROLE = "bridge"
#: PURISTA's own prefix.
PREFIX = "purista"
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
    """Read ``--bridge``, a name or a URL, and find out before anything is started that it cannot be had.

    Raises:
        UnknownNameError: If there is no such bridge.
        UsageError: If a URL of that bridge cannot be like this.
        EngineUnavailableError: If its server or client is not installed, or its plug-in cannot be loaded.
    """
    scheme, separator, _ = text.partition("://")
    if separator:
        return bridge_of_scheme(scheme).choose(text)
    return bridge_called(text).choose(None)


def bridge_server(chosen: ChosenBridge) -> Server | None:
    """The server that has to be started, or found; ``None`` if it needs none."""
    return bridge_called(chosen.name).server(chosen)


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
        UsageError: If it has none: ``in-process``.
        EngineUnavailableError: If the client is not installed.
        BridgeAwayError: If it does not answer.
    """
    kind = bridge_called(deployment.bridge)
    return await kind.connect(deployment, sender=sender, on_closed=on_closed, tracing=tracing)


async def forget_events(deployment: Deployment) -> None:
    """Leave nothing of the deployment's events on a server that is not ours; one that is away keeps them."""
    await bridge_called(deployment.bridge).forget(deployment)


def remote_of(deployment: Deployment, tracing: Tracing | None = None) -> Portal | None:
    """How steps of a worker of this deployment reach their services; ``None``: they act themselves.

    ``tracing``: of the commands that they send.
    """
    if deployment.bridge == IN_PROCESS:
        return None

    async def connect() -> Bridge:
        return await connect_bridge(deployment, sender=_STEPS)

    return Portal(connect, tracing)
