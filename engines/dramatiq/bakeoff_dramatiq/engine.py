"""Dramatiq as bakeoff meets it: servers, worker command and client."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from bakeoff.engine import Claim, EngineClient, EngineInfo, Means, Support, Survives
from bakeoff.servers import RabbitmqServer, ValkeyServer, own_address
from bakeoff.settings import SettingsInForce
from bakeoff.sharing import check_slots
from bakeoff_dramatiq.claims import claims
from bakeoff_dramatiq.client import DramatiqClient
from bakeoff_dramatiq.settings import SETTINGS
from bakeoff_dramatiq.windows import windows_of

if TYPE_CHECKING:
    from bakeoff.deployment import Deployment
    from bakeoff.saga import Saga
    from bakeoff.servers import Server
    from bakeoff.world import Window

_MEANS = {
    Means.REDRIVE: Claim(
        Support.PATTERN, "puts the saga's dead letter back; else publishes undos or pipeline again"
    ),
    Means.DEAD_LETTERS: Claim(Support.NATIVE, "every failed message goes into the queue's .XQ"),
}
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
            means=_MEANS,
            lease_s=None if settings is None else _lease_s(settings),
        )

    def servers(self, settings: SettingsInForce) -> Sequence[Server]:
        """The broker; Valkey keeps the rows too unless there is another one for them.

        Raises:
            UsageError: If a URL does not fit the broker that it is given for.
        """
        schemes = ("amqp", "amqps") if settings["broker"] == "rabbitmq" else ("redis", "rediss")
        broker_url = own_address(self.name, settings, "broker_url", schemes)
        results_url = own_address(self.name, settings, "results_url", ("redis", "rediss"))
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
        """Dramatiq's own master, whose children share its slots; some settings are environment variables."""
        settings = deployment.settings
        check_slots(self.name, SETTINGS, settings, deployment.slots)
        processes = int(settings["processes"])
        environment = {
            "dramatiq_worker_timeout": settings["worker_timeout_ms"],
            "dramatiq_queue_prefetch": settings["queue_prefetch"],
            "dramatiq_restart_delay": settings["restart_delay_ms"],
        }
        return (
            *("/usr/bin/env", *(f"{name}={value}" for name, value in environment.items())),
            *(sys.executable, "-m", "dramatiq", "bakeoff_dramatiq.worker:setup"),
            *("--processes", str(processes), "--threads", str(deployment.slots // processes)),
        )

    def windows(self, saga: Saga, settings: SettingsInForce) -> Sequence[Window]:
        """Places between what a middleware publishes and the acknowledgement."""
        return windows_of(saga)

    async def connect(self, deployment: Deployment) -> EngineClient:
        """Return a client; its threads and connections begin with its first call."""
        client: Any = await asyncio.to_thread(DramatiqClient, deployment)
        return client  # type: ignore[no-any-return]


def _valkey(role: str, address: str | None, settings: SettingsInForce) -> ValkeyServer:
    return ValkeyServer(role=role, external_address=address, appendonly=bool(settings["appendonly"]))


def _lease_s(settings: SettingsInForce) -> float:
    """Return how long a message stays with a process that has fallen silent, at the least.

    On Valkey the next command that looks for dead workers takes it back (``maintenance_chance``); on RabbitMQ
    the server closes the connection.
    """
    if settings["broker"] == "rabbitmq":
        return RabbitmqServer.silence_s(None)  # pika takes what the server proposes
    return float(settings["heartbeat_timeout_s"])


def _survives(settings: SettingsInForce | None) -> frozenset[Survives]:
    """Return what acknowledged sagas survive; on Valkey not the kill of the broker, for sure.

    A worker fetches with one command, which leases the messages to its process. Where the broker dies after
    the command and before the answer, they stay leased to a process that lives and does not know of them.
    """
    workers = {Survives.STEP_KILL, Survives.WORKER_KILL}
    if settings is None:
        return frozenset({*workers, Survives.BROKER_RESTART})
    # The rows are in a Valkey; of one of the user's own, nobody told us what it keeps.
    kept = settings["appendonly"] and not settings["results_url"]
    if not (kept and settings["connection_retries"]):  # what a hook cannot publish, Dramatiq only logs
        return frozenset(workers)
    if settings["broker"] == "valkey":
        return frozenset({*workers, *(set() if settings["broker_url"] else {Survives.BROKER_RESTART})})
    # A worker that outlives its broker must take no other message off the queue when it finishes its own.
    keeps = settings["confirm_delivery"] and settings["own_tags"]
    return frozenset(workers | ({Survives.BROKER_RESTART, Survives.BROKER_KILL} if keeps else set()))
