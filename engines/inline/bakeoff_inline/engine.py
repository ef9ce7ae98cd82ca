"""A saga as "just a function": the semantic reference and the null baseline.

It serialises, retries, times out and cancels like the others, but keeps everything in the memory of the
client's process: when that dies, its sagas are gone.
"""

from __future__ import annotations

import platform
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bakeoff.engine import Capability, Claim, EngineInfo, Means, Support
from bakeoff.errors import UsageError
from bakeoff.settings import Setting, SettingsInForce

if TYPE_CHECKING:
    from bakeoff.deployment import Deployment
    from bakeoff.engine import EngineClient
    from bakeoff.servers import Server

_NATIVE = "an asyncio task of the client's own process"

_CLAIMS = {
    **{capability: Claim(Support.NATIVE, _NATIVE) for capability in Capability},
    Capability.LONG_TIMERS: Claim(
        Support.NATIVE, "there is no lease; the timer lives as long as the process"
    ),
    Capability.EVENT_HISTORY: Claim(Support.ABSENT, "nothing is kept but the current state"),
    Capability.SCHEDULES: Claim(Support.ABSENT, "no engine, so no scheduler: cron starts the process"),
    Capability.CATCH_UP: Claim(Support.ABSENT, "there is no scheduler"),
}

_MEANS = {
    Means.REDRIVE: Claim(
        Support.ABSENT, "nothing is kept of a saga beyond its process, and inside it none is left alone"
    ),
    Means.DEAD_LETTERS: Claim(Support.ABSENT, "there are no messages"),
}

_SETTINGS = (
    Setting(
        name="threads",
        help="threads that run steps; blocking steps beyond this number wait",
        default=32,
        recommended=32,
        ci=64,
        tuning=True,
    ),
)


class InlineEngine:
    """See the module."""

    name = "inline"

    def info(self, settings: SettingsInForce | None = None) -> EngineInfo:
        """No engine, so nothing to survive with."""
        return EngineInfo(
            title="inline (no engine)",
            claims=_CLAIMS,
            survives=frozenset(),
            settings=_SETTINGS,
            versions={"python": platform.python_version()},
            note="in the client's process; a crash loses every running saga",
            in_process=True,
            means=_MEANS,
        )

    def servers(self, settings: SettingsInForce) -> Sequence[Server]:
        """None."""
        return ()

    def worker_command(self, deployment: Deployment) -> Sequence[str]:
        """There is no worker to start: a user's mistake."""
        raise UsageError(
            "inline has no workers: its sagas run inside the process that starts them; "
            "use `bakeoff run --engine inline`"
        )

    async def connect(self, deployment: Deployment) -> EngineClient:
        """Return a client that runs sagas itself."""
        from bakeoff.world import Participant
        from bakeoff_inline.client import InlineClient

        return InlineClient(Participant.of(deployment), int(deployment.settings["threads"]))
