"""The two sides of a comparison: what is started for each, with the same settings on the same servers.

This is the one place that knows how each native spells the settings of its adapter.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bakeoff.deployment import DEPLOYMENT_VARIABLE
from bakeoff.errors import UsageError
from bakeoff.sharing import WORKER_PROCESSES, processes_of_worker
from bakeoff.stack import Backend, worker_launch

ADAPTER, NATIVE = "adapter", "native"
#: Names of the natives' queues and keys on the servers.
_NAME = "bakeoff-native"


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One side of one contestant.

    Attributes:
        name: ``adapter`` or ``native``.
        client: Command line of the client process (``native.drive.serve``).
        worker: Command line of the worker; ``None`` where sagas run in the client's process.
        env: Variables of both.
        writers: ``(processes, threads in each)`` that write the ledger at once.
        shows: Whether the worker's command, with ``show`` for ``worker``, prints what it would become.
    """

    name: str
    client: Sequence[str]
    worker: Sequence[str] | None
    env: Mapping[str, str] = field(default_factory=dict)
    writers: tuple[int, int]
    shows: bool = False


def sides_of(backend: Backend) -> tuple[Side, Side]:
    """Return adapter and native.

    Raises:
        UsageError: If there is no native of this engine, or a worker that is more than one process.
    """
    engine = backend.deployment.engine
    if processes_of_worker(backend.deployment.settings) != 1:
        raise UsageError(f"{engine}.{WORKER_PROCESSES}: each side is one worker process here; leave it at 1")
    if engine not in _NATIVES:
        raise UsageError(
            f"engine {engine!r} has no hand-written native to be compared with; those that have one: "
            f"{', '.join(sorted(_NATIVES))}"
        )
    module, options, writers = _NATIVES[engine](backend)
    native = [sys.executable, "-m", f"bakeoff_bench.native.{module}"]
    options = [*options, "--body", "bakeoff_bench.native.services:perform"]
    env = {DEPLOYMENT_VARIABLE: str(backend.deployment_file)}
    in_process = backend.info.in_process
    return (
        Side(
            name=ADAPTER,
            client=[sys.executable, "-m", "bakeoff_bench.overhead.client"],
            worker=None
            if in_process
            else worker_launch(backend.engine, backend.deployment, backend.deployment_file).argv,
            env=env,
            writers=writers,
        ),
        Side(
            name=NATIVE,
            client=[*native, "client", *options],
            worker=None if in_process else [*native, "worker", *options],
            env=env | _native_variables(backend),
            writers=writers,
            shows=engine in ("celery", "dramatiq"),
        ),
    )


Native = tuple[str, list[str], tuple[int, int]]


def _servers(backend: Backend) -> list[str]:
    broker = backend.deployment.addresses["broker"]
    return ["--broker", broker, "--results", backend.deployment.addresses.get("results", broker)]


def _celery(backend: Backend) -> Native:
    settings, slots = backend.deployment.settings, backend.deployment.slots
    names = ["confirm_publish"]
    if settings["broker"] == "valkey":
        names = ["unacked_mutex_expire", "unacked_restore_interval", "unacked_restore_throttle"]
        names += ["visibility_timeout"]
    conf = {
        "broker_transport_options": {name: settings[name] for name in names},
        "result_expires": int(settings["result_expires"]),
        "task_publish_retry_policy": {
            "max_retries": int(settings["publish_max_retries"]),
            "interval_start": 0,
            "interval_step": 0.2,
            "interval_max": 1,
        },
        "worker_prefetch_multiplier": int(settings["worker_prefetch_multiplier"]),
        **{
            name: settings[name]
            for name in ("result_backend_always_retry", "task_acks_late", "task_reject_on_worker_lost")
        },
        **settings.raw,
    }
    options = [*_servers(backend), "--queue", _NAME, "--processes", str(slots), "--conf", json.dumps(conf)]
    options += ["--pool", str(settings["pool"])]
    return "celery_native", options, (1, slots) if settings["pool"] == "threads" else (slots, 1)


def _dramatiq(backend: Backend) -> Native:
    settings, slots = backend.deployment.settings, backend.deployment.slots
    given: dict[str, object] = {"time_limit_interval": int(settings["time_limit_interval_ms"])}
    if settings["broker"] == "rabbitmq":
        given["confirm_delivery"] = settings["confirm_delivery"]
    else:
        given["heartbeat_timeout"] = int(settings["heartbeat_timeout_s"] * 1000)
        given["maintenance_chance"] = int(settings["maintenance_chance"])
        given["dead_message_ttl"] = int(settings["dead_message_ttl_s"] * 1000)
    given |= settings.raw
    processes = int(settings["processes"])
    threads = slots // processes  # as the adapter shares them
    options = [*_servers(backend), "--namespace", _NAME, "--options", json.dumps(given)]
    options += ["--processes", str(processes), "--threads", str(threads)]
    return "dramatiq_native", options, (processes, threads)


def _temporal(backend: Backend) -> Native:
    settings, slots = backend.deployment.settings, backend.deployment.slots
    if settings["local_activities"]:
        raise UsageError("temporal.local_activities: the hand-written native has the server make its steps")
    options = ["--address", backend.deployment.addresses["temporal"], "--task-queue", _NAME]
    options += ["--namespace", str(settings["namespace"]), "--concurrency", str(slots)]
    options += ["--sticky-timeout", str(settings["sticky_timeout_s"])]
    options += ["--graceful-shutdown", str(settings["graceful_shutdown_s"])]
    return "temporal_native", options + ["--sandbox"] * bool(settings["sandbox"]), (1, slots)


def _plain(backend: Backend) -> Native:
    threads = int(backend.deployment.settings["threads"])
    return "plain_native", ["--threads", str(threads)], (1, threads)


_NATIVES: Mapping[str, Callable[[Backend], Native]] = {
    "celery": _celery,
    "dramatiq": _dramatiq,
    "inline": _plain,
    "temporal": _temporal,
}

#: Engines that have a native.
COMPARABLE = tuple(sorted(_NATIVES))


def _native_variables(backend: Backend) -> dict[str, str]:
    """Some of Dramatiq's settings are variables of its worker."""
    if backend.deployment.engine != "dramatiq":
        return {}
    settings = backend.deployment.settings
    return {
        "dramatiq_worker_timeout": str(settings["worker_timeout_ms"]),
        "dramatiq_queue_prefetch": str(settings["queue_prefetch"]),
        "dramatiq_restart_delay": str(settings["restart_delay_ms"]),
    }
