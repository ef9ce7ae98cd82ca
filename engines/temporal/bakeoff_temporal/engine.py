"""Temporal as a contestant: what it can, what it needs, how it is reached."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from bakeoff.engine import Capability, Claim, EngineInfo, Means, Support, Survives
from bakeoff.errors import UsageError
from bakeoff_temporal.settings import NO_CANCEL, SETTINGS

if TYPE_CHECKING:
    from bakeoff.deployment import Deployment
    from bakeoff.engine import EngineClient
    from bakeoff.outcome import Page
    from bakeoff.saga import Saga
    from bakeoff.servers import Server
    from bakeoff.settings import SettingsInForce
    from bakeoff.world import Window

_CLAIMS: Final = {
    Capability.ORDER: "the workflow awaits each activity before it schedules the next",
    Capability.RETRY: "a retry policy per activity, kept by the server",
    Capability.TIMEOUT: "start-to-close timeout per activity, kept by the server",
    Capability.COMPENSATION: "workflow code, registered before the action and shielded from cancellation",
    Capability.OWN_UNDO: "the workflow sees whether an activity was declined or faulted at any attempt",
    Capability.PIVOT: "unlimited retries from the pivot on",
    Capability.CONDITIONS: "an if in workflow code; an update for a wait that was left out is rejected",
    Capability.ESCALATION: "workflow code catches the activity that has used up its attempts and goes on",
    Capability.OUTCOME: "result or failure of the workflow, with its cause",
    Capability.IDEMPOTENT_START: "workflow ids are unique, closed ones too (REJECT_DUPLICATE) while retained",
    Capability.PARALLEL: "several activities at once, all awaited",
    Capability.SIGNALS: "workflow updates, one per signal id, rejected when late; plain signals work too",
    Capability.WAIT_TIMEOUT: "a condition that races a durable timer inside the workflow",
    Capability.TIMERS: "durable timers of the server",
    Capability.LONG_TIMERS: "durable timers; nothing is leased while one runs",
    Capability.CANCEL: "a cancellation request, answered by workflow code",
    Capability.DESCRIBE: "pending activities from the server, and a query to the workflow",
    Capability.LIST: "the server's visibility store",
    Capability.EVENT_HISTORY: "the workflow's event history",
    Capability.SCHEDULES: "Temporal Schedules, kept by the server, one workflow per period",
    Capability.CATCH_UP: "the server makes up what it missed, up to a year ago as shipped",
}
_MEANS: Final = {
    Means.REDRIVE: Claim(
        Support.NATIVE,
        "resets the workflow to before the compensation that gave up; resets an activity's pause",
    ),
    Means.DEAD_LETTERS: Claim(
        Support.ABSENT, "the server gives no task up; what failed is a workflow: `bakeoff stuck` lists those"
    ),
}
#: What becomes another matter when workflows make their steps as local activities.
_MADE_LOCALLY: Final = {
    Capability.ORDER: Claim(Support.NATIVE, "the workflow awaits each activity before it begins the next"),
    Capability.RETRY: Claim(
        Support.PATTERN, "a local activity per attempt and a durable timer of the workflow between two"
    ),
    Capability.TIMEOUT: Claim(
        Support.NATIVE, "start-to-close timeout of a local activity, kept by its worker"
    ),
    Capability.OWN_UNDO: Claim(
        Support.PATTERN,
        "an attempt that died with its worker was not counted: a decline looks for a lost workflow task",
    ),
    Capability.PIVOT: Claim(Support.PATTERN, "the workflow's own retries, without limit from the pivot on"),
    Capability.SIGNALS: Claim(
        Support.NATIVE, "workflow updates; while a step runs inside a workflow task they wait for its end"
    ),
    Capability.CANCEL: Claim(Support.ABSENT, NO_CANCEL),
    Capability.DESCRIBE: Claim(
        Support.NATIVE,
        "a query to the workflow; a step that runs inside a workflow task nobody tells before its end",
    ),
    Capability.EVENT_HISTORY: Claim(Support.NATIVE, "the workflow's event history, a marker per attempt"),
}
#: What the server ``time-skipping`` lacks.
_ABSENT_ON_TEST_SERVER: Final = {
    Capability.LIST: Claim(
        Support.ABSENT, "the time-skipping test server does not implement a list of workflows"
    ),
    Capability.SCHEDULES: Claim(Support.ABSENT, "the time-skipping test server does not implement schedules"),
    Capability.CATCH_UP: Claim(Support.ABSENT, "the time-skipping test server does not implement schedules"),
}


class TemporalEngine:
    """See the module."""

    name = "temporal"

    def info(self, settings: SettingsInForce | None = None) -> EngineInfo:
        """All capabilities are native; the note belongs beside every rate that the dev server reached."""
        claims = {capability: Claim(Support.NATIVE, reason) for capability, reason in _CLAIMS.items()}
        local = settings is not None and bool(settings["local_activities"])
        if local:
            claims |= _MADE_LOCALLY
        if settings is not None and _skips_time(settings):
            claims |= _ABSENT_ON_TEST_SERVER
        return EngineInfo(
            title="Temporal",
            claims=claims,
            survives=_survives(settings),
            settings=SETTINGS,
            versions={"temporalio": version("temporalio")},
            note=_note(settings),
            lease_s=float(settings["workflow_task_timeout_s"]) if settings is not None and local else None,
            repeats_saga=local,
            means=_MEANS,
        )

    def servers(self, settings: SettingsInForce) -> Sequence[Server]:
        """One server; see the setting ``server``.

        Raises:
            UsageError: For a number of pollers that a worker does not start with, or a UI that is no URL.
        """
        from bakeoff_temporal.pages import check_ui
        from bakeoff_temporal.server import TemporalServer
        from bakeoff_temporal.time_skipping import TimeSkippingServer

        if settings["workflow_pollers"] == 1:
            raise UsageError(
                "temporal.workflow_pollers=1: a worker with a cache polls two queues; give 0, or 2 and more"
            )
        check_ui(settings)
        if _skips_time(settings):
            return (TimeSkippingServer(settings),)
        return (TemporalServer(settings),)

    def worker_command(self, deployment: Deployment) -> Sequence[str]:
        """One process with ``deployment.slots`` steps at once."""
        return (sys.executable, "-m", "bakeoff_temporal.worker")

    def windows(self, saga: Saga, settings: SettingsInForce) -> Sequence[Window]:
        """One, between the end of a step and what the workflow makes of it."""
        from bakeoff_temporal.windows import windows_of

        return windows_of(saga, local=bool(settings["local_activities"]))

    async def page_of(self, deployment: Deployment, workflow_id: str) -> Page:
        """In the dev server's web UI, or in that of the user's own server."""
        from bakeoff_temporal.pages import page_of

        return await page_of(deployment, workflow_id)

    async def connect(self, deployment: Deployment) -> EngineClient:
        """Connect to the deployment's server."""
        from bakeoff_temporal.client import TemporalClient
        from bakeoff_temporal.connection import connect

        return TemporalClient(await connect(deployment), deployment)

    def skipping_time(self, settings: SettingsInForce) -> SettingsInForce:
        """Temporal's test server instead of the dev server."""
        return replace(settings, values={**settings.values, "server": "time-skipping"})


def _skips_time(settings: SettingsInForce) -> bool:
    return settings["server"] == "time-skipping" and not settings["address"]


def _survives(settings: SettingsInForce | None) -> frozenset[Survives]:
    """What acknowledged sagas survive; of a server of the user's own, nobody told us what it keeps."""
    kept = settings is None or not (
        settings["address"] or _skips_time(settings) or settings["database"] == "memory"
    )
    workers = {Survives.STEP_KILL, Survives.WORKER_KILL}
    return frozenset(workers | ({Survives.BROKER_RESTART, Survives.BROKER_KILL} if kept else set()))


def _note(settings: SettingsInForce | None) -> str:
    """What belongs beside every rate that this server reached."""
    if settings is None:
        return "dev server, 1 shard, SQLite"
    repeated = "; local activities: a crash repeats a whole workflow task, after 10 s"
    return _server(settings) + (repeated if settings["local_activities"] else "")


def _server(settings: SettingsInForce) -> str:
    if settings["address"]:
        return "a Temporal server of your own; what is left after its kill is its own matter"
    if _skips_time(settings):
        return "time-skipping test server, in memory; for tests of timers, not for rates"
    return f"dev server, 1 shard, SQLite ({settings['database']}), poll rate limit {settings['poll_rps']}/s"
