"""Dramatiq as bakeoff meets it: servers, worker command and client."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from bakeoff.engine import EngineClient, EngineInfo, Survives
from bakeoff.servers import RabbitmqServer, ValkeyServer
from bakeoff.settings import SettingsInForce
from bakeoff_dramatiq.claims import claims
from bakeoff_dramatiq.client import DramatiqClient
from bakeoff_dramatiq.settings import SETTINGS

if TYPE_CHECKING:
    from bakeoff.deployment import Deployment
    from bakeoff.servers import Server

_TITLES = {"valkey": "Dramatiq pipeline (Valkey)", "rabbitmq": "Dramatiq pipeline (RabbitMQ)"}


class DramatiqEngine:
    """See the module."""

    name = "dramatiq"

    def info(self, settings: SettingsInForce | None = None) -> EngineInfo:
        """Claims depend on the broker."""
        broker = str(settings["broker"]) if settings else "valkey"
        packages = ("dramatiq", "redis", "pika") if broker == "rabbitmq" else ("dramatiq", "redis")
        return EngineInfo(
            title=_TITLES[broker],
            claims=claims(broker),
            survives=_survives(settings),
            settings=SETTINGS,
            versions={package: version(package) for package in packages},
            note="a step repeats its successor when its worker dies between publishing and acknowledging",
        )

    def servers(self, settings: SettingsInForce) -> Sequence[Server]:
        """The broker; Valkey keeps the rows too unless there is another one for them."""
        broker_url, results_url = settings["broker_url"] or None, settings["results_url"] or None
        if settings["broker"] == "rabbitmq":
            return (
                RabbitmqServer(role="broker", external_address=broker_url),
                _valkey("results", results_url, settings),
            )
        broker = _valkey("broker", broker_url, settings)
        if results_url is None:
            return (broker,)
        return (broker, _valkey("results", results_url, settings))

    def worker_command(self, deployment: Deployment) -> Sequence[str]:
        """Dramatiq's own master; some of its settings are environment variables."""
        settings = deployment.settings
        environment = {
            "dramatiq_worker_timeout": settings["worker_timeout_ms"],
            "dramatiq_queue_prefetch": settings["queue_prefetch"],
            "dramatiq_restart_delay": settings["restart_delay_ms"],
        }
        return (
            *("/usr/bin/env", *(f"{name}={value}" for name, value in environment.items())),
            *(sys.executable, "-m", "dramatiq", "bakeoff_dramatiq.worker:setup"),
            *("--processes", str(settings["processes"]), "--threads", str(deployment.slots)),
        )

    async def connect(self, deployment: Deployment) -> EngineClient:
        """Return a client; its threads and connections begin with its first call."""
        client: Any = await asyncio.to_thread(DramatiqClient, deployment)
        return client  # type: ignore[no-any-return]


def _valkey(role: str, address: str | None, settings: SettingsInForce) -> ValkeyServer:
    return ValkeyServer(role=role, external_address=address, appendonly=bool(settings["appendonly"]))


def _survives(settings: SettingsInForce | None) -> frozenset[Survives]:
    """Return what acknowledged sagas survive; on Valkey not the kill of the broker, for sure.

    A worker fetches with one command, which leases the messages to its process. Where the broker dies after
    the command and before the answer, they stay leased to a process that lives and does not know of them.
    """
    if settings is None or settings["broker"] == "valkey":
        return frozenset({Survives.WORKER_KILL})
    published = settings["confirm_delivery"] and settings["connection_retries"]
    # The rows are in a Valkey; of one of the user's own, nobody told us what it keeps.
    kept = settings["appendonly"] and not settings["results_url"]
    return frozenset({Survives.WORKER_KILL, *([Survives.BROKER_KILL] if published and kept else [])})
