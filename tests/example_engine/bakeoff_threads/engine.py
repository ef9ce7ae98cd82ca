"""An engine that runs every step in a thread of the client's process, one after the other."""

from __future__ import annotations

from collections.abc import Sequence

from bakeoff.deployment import Deployment
from bakeoff.engine import Capability, Claim, EngineClient, EngineInfo, Support
from bakeoff.errors import UsageError
from bakeoff.servers import Server
from bakeoff.settings import SettingsInForce

_KEPT = (
    *(Capability.ORDER, Capability.RETRY, Capability.OUTCOME, Capability.IDEMPOTENT_START),
    *(Capability.COMPENSATION, Capability.OWN_UNDO),
)


class ThreadsEngine:
    """What it can, what it needs, how it is reached."""

    name = "threads"

    def info(self, settings: SettingsInForce | None = None) -> EngineInfo:
        """Claim every capability, or say why not: the reasons are printed."""
        kept = Claim(Support.NATIVE, "a loop over the steps")
        absent = Claim(Support.ABSENT, "an example stops somewhere")
        return EngineInfo(
            title="threads",
            claims={capability: kept if capability in _KEPT else absent for capability in Capability},
            survives=frozenset(),
            in_process=True,
        )

    def servers(self, settings: SettingsInForce) -> Sequence[Server]:
        """Name the servers to be started; ``bakeoff.servers`` has Valkey, RabbitMQ, NATS, PostgreSQL."""
        return ()

    def worker_command(self, deployment: Deployment) -> Sequence[str]:
        """Return argv of one worker process, had this engine any."""
        raise UsageError("threads has no workers: its sagas run inside the process that starts them")

    async def connect(self, deployment: Deployment) -> EngineClient:
        """Return a client."""
        from .client import ThreadsClient

        return ThreadsClient(deployment)
