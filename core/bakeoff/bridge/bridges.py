"""The bridges that a deployment can have, and how a process of it connects."""

from __future__ import annotations

from dataclasses import dataclass

from bakeoff.bridge.interface import Bridge
from bakeoff.bridge.portal import Portal
from bakeoff.credentials import hide_credentials
from bakeoff.deployment import Deployment
from bakeoff.errors import EngineUnavailableError, UnknownNameError
from bakeoff.servers.nats import nats_binary

#: No bridge: steps act in the worker's own process.
IN_PROCESS = "in-process"
NATS = "nats"
#: Role of the bridge's server in ``Deployment.addresses``.
ROLE = "bridge"
_SCHEMES = ("nats", "tls")
_STEPS = "BakeoffOrchestrator"


@dataclass(frozen=True, slots=True)
class ChosenBridge:
    """A bridge that was asked for; ``url``: its server, if that is not to be started."""

    name: str = IN_PROCESS
    url: str | None = None

    def __str__(self) -> str:
        return self.name if self.url is None else f"{self.name}, yours"


NO_BRIDGE = ChosenBridge()


def choose_bridge(text: str) -> ChosenBridge:
    """Read ``--bridge``, and find out before anything is started that it cannot be had.

    Raises:
        UnknownNameError: If there is no such bridge.
        EngineUnavailableError: If its server or client is not installed.
    """
    scheme, separator, _ = text.partition("://")
    if separator and scheme in _SCHEMES:
        nats_client()
        return ChosenBridge(NATS, text)
    if text == NATS:
        nats_client()
        nats_binary()
    elif text != IN_PROCESS:
        raise UnknownNameError(
            f"--bridge {hide_credentials(text)}: give {IN_PROCESS}, {NATS}, or your server's nats://host:port"
        )
    return ChosenBridge(text)


async def connect_bridge(deployment: Deployment, *, sender: str) -> Bridge:
    """Connect to the deployment's bridge.

    Raises:
        EngineUnavailableError: If the client is not installed.
        BridgeAwayError: If it does not answer.
    """
    nats_client()
    from bakeoff.bridge.nats import PREFIX, NatsBridge

    return await NatsBridge.connect(
        deployment.addresses[ROLE], sender=sender, prefix=f"{deployment.prefix}{PREFIX}"
    )


def nats_client() -> None:
    """``EngineUnavailableError`` if NATS's client is missing."""
    try:
        import nats  # noqa: F401
    except ImportError as error:
        raise EngineUnavailableError(
            f'the client of NATS is not installed ({error}); install it: pip install "bakeoff[nats]"'
        ) from error


def remote_of(deployment: Deployment) -> Portal | None:
    """How steps of a worker of this deployment reach their services; ``None``: they act themselves."""
    if deployment.bridge == IN_PROCESS:
        return None

    async def connect() -> Bridge:
        return await connect_bridge(deployment, sender=_STEPS)

    return Portal(connect)
