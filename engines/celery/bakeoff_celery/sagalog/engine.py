"""Celery with a saga log as a contestant: what it claims, needs and runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from bakeoff.engine import Capability, Claim, EngineInfo, Means, Support, Survives
from bakeoff.errors import UsageError
from bakeoff.servers import PostgresServer, RabbitmqServer, ValkeyServer, own_address
from bakeoff_celery.beat import SCHEDULING, beat_argv
from bakeoff_celery.sagalog.place import check_place, files
from bakeoff_celery.sagalog.settings import SETTINGS
from bakeoff_celery.sagalog.windows import windows_of
from bakeoff_celery.sagalog.worker import worker_argv

if TYPE_CHECKING:
    from pathlib import Path

    from bakeoff.deployment import Deployment
    from bakeoff.engine import EngineClient
    from bakeoff.saga import Saga
    from bakeoff.servers import Server
    from bakeoff.settings import SettingsInForce
    from bakeoff.world import Window


def _pattern(reason: str) -> Claim:
    return Claim(Support.PATTERN, reason)


_CLAIMS = {
    Capability.ORDER: _pattern("the transaction that ends a step writes the next command into the log"),
    Capability.RETRY: _pattern("the log counts attempts, those that died with a worker too, and says when"),
    Capability.TIMEOUT: _pattern(
        "an alarm in the process that acts; Celery's hard limit kills what ignores it"
    ),
    Capability.COMPENSATION: _pattern("the log begins the undos in reverse; each is a task of its own"),
    Capability.OWN_UNDO: _pattern("an attempt that faulted or was lost makes its step doubtful in the log"),
    Capability.PIVOT: _pattern("retries without limit from the pivot on"),
    Capability.CONDITIONS: _pattern("asked of the log; what is not due is never written into it"),
    Capability.ESCALATION: _pattern("the log tells exhausted from declined and begins the other steps"),
    Capability.OUTCOME: _pattern("read from the log"),
    Capability.IDEMPOTENT_START: _pattern("the primary key of the log"),
    Capability.PARALLEL: _pattern("several commands in one transaction; the last one to end goes on"),
    Capability.SIGNALS: _pattern("a row in the log; the transaction that writes it goes on with the saga"),
    Capability.WAIT_TIMEOUT: _pattern("a time in the log; signal and timeout race for the row's version"),
    Capability.TIMERS: _pattern("a time in the log, published with a countdown shortly before it comes"),
    Capability.LONG_TIMERS: _pattern("the same: no message is held longer than five sweeps"),
    Capability.CANCEL: _pattern("a flag in the log, which the next decision reads"),
    Capability.DESCRIBE: _pattern("read from the log"),
    Capability.LIST: _pattern("read from the log"),
    Capability.EVENT_HISTORY: _pattern("a row per happening, written with the change that it tells of"),
    **SCHEDULING,
}
#: Deaths that the log must outlive.
_SERVERS = {Survives.BROKER_RESTART, Survives.BROKER_KILL}
_MEANS = {
    Means.REDRIVE: _pattern("undos that gave up begin anew; what is open is published again"),
    Means.DEAD_LETTERS: Claim(
        Support.ABSENT, "a message is never given up: the log publishes it again until somebody takes it"
    ),
}


class SagaLogEngine:
    """See ``bakeoff.engine.OrchestrationEngine``."""

    name = "celery-sagalog"

    def info(self, settings: SettingsInForce | None = None) -> EngineInfo:
        """Describe it; of a log in a database of the user's own nobody told us what it keeps."""
        broker = "RabbitMQ" if settings is not None and settings["broker"] == "rabbitmq" else "Valkey"
        log = "PostgreSQL" if settings is not None and settings["log"] == "postgres" else "SQLite"
        foreign = settings is not None and bool(settings["log_url"])
        return EngineInfo(
            title=f"Celery with a saga log in {log}, on {broker}",
            claims=_CLAIMS,
            survives=frozenset(Survives) - {Survives.POWER_LOSS} - (_SERVERS if foreign else set()),
            settings=SETTINGS,
            versions=_versions(),
            note="a lost worker's step comes back when its lease in the log is over, whatever the broker",
            lease_s=None if settings is None else float(settings["step_lease"] + settings["sweep_period"]),
            means=_MEANS,
        )

    def servers(self, settings: SettingsInForce) -> Sequence[Server]:
        """Return the broker, and the PostgreSQL of the log if it is not a file.

        Raises:
            UsageError: If a URL does not fit what it is given for.
        """
        servers: list[Server] = []
        if settings["broker"] == "rabbitmq":
            address = self._checked(settings, "broker_url", ("amqp", "amqps"))
            servers.append(RabbitmqServer(role="broker", external_address=address))
        else:
            address = self._checked(settings, "broker_url", ("redis", "rediss"))
            servers.append(ValkeyServer(role="broker", external_address=address, appendonly=False))
        if settings["log"] == "postgres":
            address = self._checked(settings, "log_url", ("postgresql",))
            servers.append(PostgresServer(role="log", external_address=address))
        return servers

    def worker_command(self, deployment: Deployment) -> Sequence[str]:
        """Return the command of one worker; ``UsageError`` if it could not reach the log."""
        check_place(deployment)
        return worker_argv(deployment)

    def scheduler_command(self, deployment: Deployment) -> Sequence[str]:
        """Return the command of beat."""
        return beat_argv("bakeoff_celery.sagalog.beat", deployment)

    def windows(self, saga: Saga, settings: SettingsInForce) -> Sequence[Window]:
        """Between the commit of the log and the publication of what it says."""
        return windows_of(saga)

    def kept_files(self, deployment: Deployment) -> Sequence[Path]:
        """The log, where it is a file."""
        return files(deployment)

    async def connect(self, deployment: Deployment) -> EngineClient:
        """Return a client."""
        from bakeoff.registry import load_sagas
        from bakeoff_celery.sagalog.client import SagaLogClient

        return await SagaLogClient.connected(deployment, load_sagas(deployment.sagas))

    def _checked(self, settings: SettingsInForce, name: str, schemes: Sequence[str]) -> str | None:
        """Return an external address, ``None`` if there is none; its value never gets into a message."""
        url = own_address(self.name, settings, name, schemes)
        if url and name == "broker_url" and "password" in dict(parse_qsl(url.partition("?")[2])):
            raise UsageError(
                f"{self.name}.{name}: Kombu reads no password from the query; write it before the host: "
                f"{schemes[0]}://:PASSWORD@host"
            )
        return url


def _versions() -> Mapping[str, str]:
    return {package: version(package) for package in ("celery", "kombu", "billiard", "redis", "sqlalchemy")}
