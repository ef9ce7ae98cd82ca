"""What a plug-in says of its bridge: whether it can be had, which server it needs, how a process connects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from bakeoff.bridge.bridges import ChosenBridge
    from bakeoff.bridge.interface import Bridge
    from bakeoff.deployment import Deployment
    from bakeoff.servers import Server
    from bakeoff.telemetry.tracing import Tracing


class BridgeKind(Protocol):
    """A bridge that ``--bridge`` can name; services behind it are processes of their own.

    Attributes:
        name: The name of its entry point; bakeoff puts it there.
        schemes: Of URLs that lead to a server of the user's own (``("nats", "tls")``); empty: there is none.
    """

    name: str
    schemes: Sequence[str]

    def choose(self, url: str | None) -> ChosenBridge:
        """Find out, before anything is started, whether it can be had; ``url``: as it was given, if it was.

        Raises:
            UsageError: If nothing can be reached by such a URL.
            EngineUnavailableError: If its client or server is not installed, with the installing command.
        """

    def server(self, chosen: ChosenBridge) -> Server | None:
        """What is started as a child, or found at ``chosen.url``, in the role ``bridge``; ``None``: nothing.

        Its address is ``deployment.addresses["bridge"]`` in every process.
        """

    async def connect(
        self,
        deployment: Deployment,
        *,
        sender: str,
        on_closed: Callable[[], None] | None,
        tracing: Tracing | None,
    ) -> Bridge:
        """Connect a worker, a service, the relay or a client; see ``bakeoff.bridge.bridges.connect_bridge``.

        Nothing that another deployment may use, too, can be told apart but by ``deployment.bridge_prefix``.
        """

    async def forget(self, deployment: Deployment) -> None:
        """Leave nothing of this deployment on a server of the user's own; one that is away keeps it."""
