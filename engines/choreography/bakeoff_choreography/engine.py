"""Choreography as bakeoff meets it: server, worker command and client."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING

from bakeoff.engine import EngineInfo, Survives
from bakeoff.servers import NatsServer
from bakeoff.settings import SettingsInForce
from bakeoff_choreography.claims import CLAIMS, MEANS
from bakeoff_choreography.client import ChoreographyClient
from bakeoff_choreography.settings import SETTINGS
from bakeoff_choreography.windows import windows_of

if TYPE_CHECKING:
    from bakeoff.deployment import Deployment
    from bakeoff.engine import EngineClient
    from bakeoff.saga import Saga
    from bakeoff.servers import Server
    from bakeoff.world import Window


class ChoreographyEngine:
    """See the module."""

    name = "choreography"

    def info(self, settings: SettingsInForce | None = None) -> EngineInfo:
        """The same claims whatever is set; of a NATS of the user's own nobody told us what it keeps."""
        kept = settings is None or not settings["broker_url"]
        return EngineInfo(
            title="Choreography (NATS)",
            claims=CLAIMS,
            survives=frozenset(
                {
                    Survives.STEP_KILL,
                    Survives.WORKER_KILL,
                    *((Survives.BROKER_RESTART, Survives.BROKER_KILL) if kept else ()),
                }
            ),
            settings=SETTINGS,
            versions={"nats-py": version("nats-py")},
            note="no orchestrator: the saga is in its events, and its definition in who hears what",
            means=MEANS,
            lease_s=None if settings is None else float(settings["ack_wait_s"]),
        )

    def servers(self, settings: SettingsInForce) -> Sequence[Server]:
        """The log."""
        return (
            NatsServer(
                role="broker",
                external_address=settings["broker_url"] or None,
                sync_always=bool(settings["sync_always"]),
                max_payload=None,
            ),
        )

    def worker_command(self, deployment: Deployment) -> Sequence[str]:
        """One process with all participants."""
        return (sys.executable, "-m", "bakeoff_choreography.worker")

    def windows(self, saga: Saga, settings: SettingsInForce) -> Sequence[Window]:
        """Places between what is said and the acknowledgement of what was heard."""
        return windows_of(saga)

    async def connect(self, deployment: Deployment) -> EngineClient:
        """Return a client."""
        return await ChoreographyClient.connect(deployment)
