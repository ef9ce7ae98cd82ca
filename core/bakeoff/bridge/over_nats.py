"""The bridge ``nats``: a server of our own or of the user's, and how a process connects to it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bakeoff.bridge.bridges import ROLE, ChosenBridge
from bakeoff.credentials import hide_credentials
from bakeoff.errors import BridgeAwayError, EngineUnavailableError, UsageError
from bakeoff.hookspecs import hookimpl
from bakeoff.servers.nats import NatsServer, nats_binary

if TYPE_CHECKING:
    from bakeoff.bridge.kind import BridgeKind
    from bakeoff.bridge.nats import NatsBridge
    from bakeoff.deployment import Deployment
    from bakeoff.telemetry.tracing import Tracing

_SHARED = re.compile(r"^[A-Za-z0-9_-]{1,64}$")


class OverNats:
    """See ``bakeoff.bridge.kind.BridgeKind``."""

    name = "nats"
    schemes: Sequence[str] = ("nats", "tls")

    def choose(self, url: str | None) -> ChosenBridge:
        """``nats://[user:password@]host:port[/prefix]``; without a URL the server must be installed."""
        _client()
        if url is None:
            nats_binary()
            return ChosenBridge(self.name)
        scheme, _, rest = url.partition("://")
        server, _, shared = rest.partition("/")
        if not _names_a_server(f"{scheme}://{server}"):
            raise UsageError(
                f"--bridge {hide_credentials(url)}: it names no server; write {scheme}://host:port"
            )
        if shared and not _SHARED.fullmatch(shared):
            shown = hide_credentials(shared)  # a slash in a password that is not quoted
            raise UsageError(f"--bridge .../{shown}: a prefix is like purista: letters, digits, '_' and '-'")
        return ChosenBridge(self.name, f"{scheme}://{server}", shared)

    def server(self, chosen: ChosenBridge) -> NatsServer:
        """One with JetStream."""
        return NatsServer(role=ROLE, external_address=chosen.url)

    async def connect(
        self,
        deployment: Deployment,
        *,
        sender: str,
        on_closed: Callable[[], None] | None = None,
        tracing: Tracing | None = None,
    ) -> NatsBridge:
        """Connect to the deployment's server, under its prefix."""
        _client()
        from bakeoff.bridge.nats import NatsBridge

        return await NatsBridge.connect(
            deployment.addresses[ROLE],
            sender=sender,
            prefix=deployment.bridge_prefix,
            on_closed=on_closed,
            tracing=tracing,
        )

    async def forget(self, deployment: Deployment) -> None:
        """Remove the stream of the deployment's events."""
        with contextlib.suppress(BridgeAwayError):
            bridge = await self.connect(deployment, sender="Bakeoff")
            try:
                await bridge.forget()
            finally:
                await bridge.close()


def _names_a_server(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, half an IPv6 address
        return False


def _client() -> None:
    try:
        import nats  # noqa: F401
    except ImportError as error:
        raise EngineUnavailableError(
            f'the client of NATS is not installed ({error}); install it: pip install "bakeoff[nats]"'
        ) from error


@hookimpl
def bakeoff_bridge() -> BridgeKind:
    """What ``--bridge nats`` means."""
    return OverNats()
