"""Celery as a contestant: what it claims, needs and runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from bakeoff.engine import Capability, Claim, EngineInfo, Means, Support, Survives
from bakeoff.errors import UsageError
from bakeoff.servers import RabbitmqServer, ValkeyServer, own_address
from bakeoff_celery.beat import SCHEDULING, beat_argv
from bakeoff_celery.leases import silence_s
from bakeoff_celery.settings import SETTINGS
from bakeoff_celery.windows import windows_of
from bakeoff_celery.worker import worker_argv

if TYPE_CHECKING:
    from bakeoff.deployment import Deployment
    from bakeoff.engine import EngineClient
    from bakeoff.saga import Saga
    from bakeoff.servers import Server
    from bakeoff.settings import SettingsInForce
    from bakeoff.world import Window


def _native(reason: str) -> Claim:
    return Claim(Support.NATIVE, reason)


def _pattern(reason: str) -> Claim:
    return Claim(Support.PATTERN, reason)


def _absent(reason: str) -> Claim:
    return Claim(Support.ABSENT, reason)


_CLAIMS = {
    Capability.ORDER: _native("a chain: the message in flight decides the next step"),
    Capability.RETRY: _native("self.retry with each step's own countdown"),
    Capability.TIMEOUT: _native("soft_time_limit and self.retry; the hard limit kills what ignores it"),
    Capability.COMPENSATION: _native("a bound errback replaces itself by the chain of undos"),
    Capability.OWN_UNDO: _native("the errback undoes the failed step too, unless it was purely declined"),
    Capability.PIVOT: _native("retries without limit from the pivot on, so its errback has nothing to undo"),
    Capability.CONDITIONS: _native("each task asks its condition of what its message carries"),
    Capability.ESCALATION: _native("the errback replaces itself by the step's undo and another chain"),
    Capability.OUTCOME: _pattern("the result of the task with the saga's own id, at the end of either chain"),
    Capability.IDEMPOTENT_START: _pattern("one unique row in the result backend; task ids are not unique"),
    Capability.PARALLEL: _pattern("a chord whose members return their failure; one that raises breaks it"),
    Capability.SIGNALS: _pattern("two chains and one unique row; the signal publishes the second chain"),
    Capability.CANCEL: _absent(
        "a chain has no id to cancel by; revoking a task races with its delivery and undoes nothing"
    ),
    Capability.DESCRIBE: _pattern("asks the workers what they hold; what lies in the queue nobody can tell"),
    Capability.LIST: _pattern("scans the unique rows of the starts that have not expired"),
    Capability.EVENT_HISTORY: _absent("events pass by whoever listens; Celery keeps none"),
    **SCHEDULING,
}
_THREADS = {
    Capability.TIMEOUT: _absent(
        "a thread cannot be interrupted or killed: in its pool of threads Celery enforces no time limit"
    ),
    Capability.RETRY: _native("self.retry with each step's own countdown; a step that hangs never fails"),
}
_MEANS = {
    "valkey": {
        Means.REDRIVE: _pattern(
            "redelivers what no worker answers for; else publishes undos, errback or chain again"
        ),
        Means.DEAD_LETTERS: _absent(
            "a message that no worker can use is logged and dropped; Valkey keeps none"
        ),
    },
    "rabbitmq": {
        Means.REDRIVE: _pattern(
            "publishes undos, errback or chain again; whether a copy lies in the queue RabbitMQ does not show"
        ),
        Means.DEAD_LETTERS: _absent(
            "a message that no worker can use is logged and dropped; only a policy of your own on RabbitMQ "
            "would keep it"
        ),
    },
}
_BY_BROKER = {
    "valkey": {
        Capability.TIMERS: _pattern("a countdown, held by a worker; only shorter than visibility_timeout"),
        Capability.LONG_TIMERS: _absent("beyond visibility_timeout a held message is delivered once more"),
        Capability.WAIT_TIMEOUT: _pattern(
            "a delayed task that wants the signal's unique row; only shorter than visibility_timeout"
        ),
    },
    "rabbitmq": {
        Capability.TIMERS: _native("a countdown, held by a worker, within RabbitMQ's consumer_timeout"),
        Capability.LONG_TIMERS: _absent("RabbitMQ closes the channel of a consumer beyond consumer_timeout"),
        Capability.WAIT_TIMEOUT: _pattern(
            "a delayed task that wants the signal's unique row, within RabbitMQ's consumer_timeout"
        ),
    },
}


class CeleryEngine:
    """See ``bakeoff.engine.OrchestrationEngine``."""

    name = "celery"

    def info(self, settings: SettingsInForce | None = None) -> EngineInfo:
        """Describe Celery with this broker."""
        broker = str(settings["broker"]) if settings is not None else "valkey"
        return EngineInfo(
            title=f"Celery chain on {'RabbitMQ' if broker == 'rabbitmq' else 'Valkey'}",
            claims={**_CLAIMS, **_BY_BROKER[broker], **(_THREADS if _threads(settings) else {})},
            survives=_survives(settings),
            settings=SETTINGS,
            versions=_versions(),
            note=_note(settings),
            means=_MEANS[broker],
            lease_s=None if settings is None else silence_s(settings),
        )

    def servers(self, settings: SettingsInForce) -> Sequence[Server]:
        """Return the broker, and a Valkey for results where the broker is none.

        Raises:
            UsageError: If a URL does not fit the broker that it is given for.
        """
        scheme = "amqp" if settings["broker"] == "rabbitmq" else "redis"
        broker_url = _checked(settings, "broker_url", scheme)
        results_url = _checked(settings, "result_backend", "redis")
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
        """Return the command of one worker."""
        return worker_argv(deployment)

    def scheduler_command(self, deployment: Deployment) -> Sequence[str]:
        """Return the command of beat."""
        return beat_argv("bakeoff_celery.beat", deployment)

    def windows(self, saga: Saga, settings: SettingsInForce) -> Sequence[Window]:
        """Places where Celery's own signals come between two things that belong together."""
        return windows_of(saga, settings)

    async def connect(self, deployment: Deployment) -> EngineClient:
        """Return a client."""
        from bakeoff.registry import load_sagas
        from bakeoff_celery.client import CeleryClient

        return CeleryClient(deployment, load_sagas(deployment.sagas))


def _valkey(role: str, address: str | None, settings: SettingsInForce) -> ValkeyServer:
    return ValkeyServer(role=role, external_address=address, appendonly=bool(settings["appendonly"]))


def _survives(settings: SettingsInForce | None) -> frozenset[Survives]:
    """Return what acknowledged sagas survive; on Valkey not the kill of a worker at any moment.

    Kombu takes a message from the list (BRPOP) and writes it down as unacknowledged (ZADD, HSET) in two
    requests. A parent that is killed in between takes the message along, whatever the acknowledgement; one
    whose tasks have all been delivered takes nothing along.
    """
    if settings is None:
        return frozenset({Survives.STEP_KILL, Survives.BROKER_RESTART})
    if not _gives_back(settings):
        return frozenset()
    # The unique rows are in a Valkey; of one of the user's own, nobody told us what it keeps.
    kept = settings["appendonly"] and not settings["result_backend"]
    if settings["broker"] == "valkey":
        kept = kept and not settings["broker_url"]
        return frozenset({Survives.STEP_KILL, *([Survives.BROKER_RESTART] if kept else [])})
    # Seen: a worker of threads that took nothing any more within 30 s of the restart of its RabbitMQ.
    kept = kept and settings["confirm_publish"] and not _threads(settings)
    broker = {Survives.BROKER_RESTART, Survives.BROKER_KILL} if kept else set()
    return frozenset({Survives.STEP_KILL, Survives.WORKER_KILL} | broker)


def _threads(settings: SettingsInForce | None) -> bool:
    return settings is not None and settings["pool"] == "threads"


def _gives_back(settings: SettingsInForce) -> bool:
    """Whether the message of a killed process comes back, be it the worker or one of its pool."""
    return bool(settings["task_acks_late"] and (_threads(settings) or settings["task_reject_on_worker_lost"]))


def _note(settings: SettingsInForce | None) -> str:
    if settings is not None and not settings["task_acks_late"]:
        return "early acknowledgement, as shipped: a killed worker loses what it ran"
    if settings is not None and not _gives_back(settings):
        return "a task whose process is killed counts as done, as shipped: its saga is lost"
    if settings is None or settings["broker"] == "valkey":
        return "Kombu pops a message before it notes it as unacknowledged; a worker killed meanwhile loses it"
    return ""


def _checked(settings: SettingsInForce, name: str, scheme: str) -> str | None:
    """Return an external address, ``None`` if the setting is empty; its value never gets into a message."""
    url = own_address("celery", settings, name, (scheme, f"{scheme}s"))
    if url and "password" in dict(parse_qsl(url.partition("?")[2])):
        raise UsageError(
            f"celery.{name}: Kombu reads no password from the query; write it before the host: "
            f"{scheme}://:PASSWORD@host"
        )
    return url


def _versions() -> Mapping[str, str]:
    return {package: version(package) for package in ("celery", "kombu", "billiard", "redis")}
