"""The bridge ``in-process``, which is none: every step acts in its worker, and nobody relays events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from bakeoff.bridge.bridges import NO_BRIDGE, ChosenBridge
from bakeoff.errors import UsageError
from bakeoff.hookspecs import hookimpl

if TYPE_CHECKING:
    from bakeoff.bridge.interface import Bridge
    from bakeoff.bridge.kind import BridgeKind
    from bakeoff.deployment import Deployment
    from bakeoff.telemetry.tracing import Tracing


class WithoutBridge:
    """See ``bakeoff.bridge.kind.BridgeKind``."""

    name = NO_BRIDGE.name
    schemes: Sequence[str] = ()

    def choose(self, url: str | None) -> ChosenBridge:
        """It can always be had."""
        return NO_BRIDGE

    def server(self, chosen: ChosenBridge) -> None:
        """It needs none."""

    async def connect(
        self,
        deployment: Deployment,
        *,
        sender: str,
        on_closed: Callable[[], None] | None,
        tracing: Tracing | None,
    ) -> Bridge:
        """There is nothing to connect to.

        Raises:
            UsageError: Always.
        """
        raise UsageError(
            f"{deployment.engine} has no bridge: its steps act in the workers, and no event is relayed; "
            "bring it up with `bakeoff up --bridge nats`"
        )

    async def forget(self, deployment: Deployment) -> None:
        """Nothing was left anywhere."""


@hookimpl
def bakeoff_bridge() -> BridgeKind:
    """What ``--bridge in-process`` means."""
    return WithoutBridge()
