"""What ``--set celery.NAME=VALUE`` knows, with the three configuration classes.

``default`` is what Celery ships. ``recommended`` derives the lease from the common step timeout T = 30 s:
late acknowledgement, a visibility timeout of 2T, and a prefetch of one, so that no message waits in a worker
while its lease runs. Leases that ended are looked for every second, as Kombu advises for a short lease and as
Dramatiq's commands all do in this class. Names are Celery's and Kombu's own wherever they have one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bakeoff.engine import Capability, Survives
from bakeoff.settings import Setting, SettingsInForce
from bakeoff.sharing import worker_processes

#: Seconds after which RabbitMQ closes the channel of a consumer that has not acknowledged, as it ships.
CONSUMER_TIMEOUT_S = 1800.0

#: What a lease is there for, and what keeps messages while their server is away or dead.
_LEASE = (Survives.STEP_KILL, Survives.WORKER_KILL)
_SERVER = (Survives.BROKER_RESTART, Survives.BROKER_KILL)
_VALKEY, _RABBITMQ = {"broker": "valkey"}, {"broker": "rabbitmq"}
#: What only a pool of processes can do.
_PREFORK = {"pool": "prefork"}


def _same(name: str, help: str, value: int | float | str | bool, **more: Any) -> Setting:
    return Setting(name=name, help=help, default=value, recommended=value, ci=value, **more)


SETTINGS: Sequence[Setting] = (
    _same("broker", "message broker", "valkey", choices=("valkey", "rabbitmq"), tries=("valkey", "rabbitmq")),
    _same(
        "broker_url",
        "URL of a broker of your own (redis:// or amqp://); empty: bakeoff starts one",
        "",
        env="BAKEOFF_CELERY_BROKER_URL",
        secret=True,
    ),
    _same(
        "result_backend",
        "URL of a Valkey or Redis of your own for outcomes and unique rows; empty: the broker's, or ours",
        "",
        env="BAKEOFF_CELERY_RESULT_BACKEND",
        secret=True,
    ),
    Setting(
        name="appendonly",
        help="a Valkey that bakeoff starts writes every command to its append-only file",
        default=False,
        recommended=True,
        ci=True,
        serves=_SERVER,
    ),
    # A search says why it does not try threads: without timeouts they keep another promise than all others.
    _same(
        "pool",
        "how a worker runs tasks: a process per slot, or a thread per slot, which nothing can limit or kill",
        "prefork",
        choices=("prefork", "threads"),
        tries=("prefork", "threads"),
        serves=(Capability.TIMEOUT, *_SERVER),
    ),
    Setting(
        name="task_acks_late",
        help="acknowledge a message after its task ran, not before",
        default=False,
        recommended=True,
        ci=True,
        serves=(*_LEASE, *_SERVER),
    ),
    Setting(
        name="task_reject_on_worker_lost",
        help="put the message back when the process that ran it was killed",
        default=False,
        recommended=True,
        ci=True,
        only=_PREFORK,
        serves=(*_LEASE, *_SERVER),
    ),
    # Without it a message whose step kills its process comes back for ever: the poison pill takes one child
    # after the other. Celery counts those deaths as retries, and the policy's last one fails the step.
    Setting(
        name="task_retry_on_worker_lost",
        help="count the death of a step's process as a failed attempt of it, by the step's own policy",
        default=False,
        recommended=True,
        ci=True,
        only=_PREFORK,
        serves=(Capability.RETRY, Survives.STEP_KILL),
    ),
    worker_processes("a parent with its own pool each"),
    Setting(
        name="worker_prefetch_multiplier",
        help="messages that a worker holds per process of its pool; 0: as many as there are",
        least=0,
        default=4,
        recommended=1,
        ci=1,
        tries=(1, 2, 4, 8),
        serves=_LEASE,
    ),
    Setting(
        name="visibility_timeout",
        lease=True,
        least=1,
        help="seconds after which an unacknowledged message is delivered again (the lease)",
        default=3600.0,
        recommended=60.0,
        ci=12.0,
        only=_VALKEY,
        serves=_LEASE,
    ),
    Setting(
        name="unacked_restore_interval",
        help="seconds between two looks for messages whose lease ended",
        default=10,
        recommended=1,
        ci=1,
        only=_VALKEY,
        serves=_LEASE,
    ),
    Setting(
        name="unacked_restore_throttle",
        help="only every n-th of these looks really looks",
        default=10,
        recommended=1,
        ci=1,
        only=_VALKEY,
        serves=_LEASE,
    ),
    # Whoever looks holds a lock in the server. A worker that is killed just then leaves it behind, and until
    # it expires nobody looks at all: a lease of 12 s becomes one of five minutes.
    Setting(
        name="unacked_mutex_expire",
        help="seconds until the lock of a worker that died while it looked is free again",
        least=1,
        default=300,
        recommended=10,
        ci=2,
        only=_VALKEY,
        serves=_LEASE,
    ),
    Setting(
        name="confirm_publish",
        help="wait until the broker has confirmed a message",
        default=False,
        recommended=True,
        ci=True,
        only=_RABBITMQ,
        serves=_SERVER,
    ),
    _same(
        "consumer_timeout",
        "seconds that RabbitMQ lets a message stay unacknowledged (its own setting, told to us)",
        CONSUMER_TIMEOUT_S,
        least=1,
        only=_RABBITMQ,
        serves=(Capability.TIMERS,),
    ),
    Setting(
        name="publish_max_retries",
        least=0,
        help="how often a refused publication is tried again (pauses up to 1 s)",
        default=3,
        recommended=30,
        ci=10,
        serves=_SERVER,
    ),
    Setting(
        name="hard_limit_margin",
        help="seconds between a step's timeout (soft limit) and the kill of its process (hard limit)",
        default=10.0,
        recommended=10.0,
        ci=4.0,
        only=_PREFORK,
        serves=(Capability.TIMEOUT,),
    ),
    Setting(
        name="result_backend_always_retry",
        help="try again to store a result while its server is away, instead of losing it",
        default=False,
        recommended=True,
        ci=True,
        serves=(Capability.OUTCOME, *_SERVER),
    ),
    Setting(
        name="result_expires",
        help="seconds that outcomes and unique rows are kept",
        default=86_400,
        recommended=604_800,
        ci=86_400,
        serves=(Capability.OUTCOME, Capability.IDEMPOTENT_START),
    ),
)


def lease_s(settings: SettingsInForce) -> float:
    """Seconds that a message may stay unacknowledged before the broker delivers it again."""
    name = "visibility_timeout" if settings["broker"] == "valkey" else "consumer_timeout"
    return float(settings[name])


def celery_configuration(
    settings: SettingsInForce, prefix: str, connection_name: str | None = None
) -> dict[str, Any]:
    """Return Celery's own configuration for these settings; every name in it carries ``prefix``.

    Kombu keeps one pool of connections per process and *configuration*. A ``connection_name``, which the
    broker shows to its operator, makes the pool one's own, so that closing it closes nobody else's.

    Source: Celery user guide, "Configuration and defaults"; Kombu, ``kombu.transport.redis``.
    """
    transport: dict[str, Any]
    if settings["broker"] == "valkey":
        transport = {
            **({"client_name": connection_name} if connection_name else {}),
            "global_keyprefix": prefix,
            "unacked_mutex_expire": settings["unacked_mutex_expire"],
            "unacked_restore_interval": settings["unacked_restore_interval"],
            "unacked_restore_throttle": settings["unacked_restore_throttle"],
            "visibility_timeout": settings["visibility_timeout"],
        }
    else:
        transport = {
            **({"client_properties": {"connection_name": connection_name}} if connection_name else {}),
            "confirm_publish": settings["confirm_publish"],
        }
    return {
        "broker_connection_retry_on_startup": True,
        "broker_transport_options": transport,
        "control_exchange": f"{prefix}celery",
        "event_exchange": f"{prefix}celeryev",
        "event_queue_prefix": f"{prefix}celeryev",
        "result_backend_always_retry": bool(settings["result_backend_always_retry"]),
        "result_backend_transport_options": {"global_keyprefix": prefix},
        "result_expires": int(settings["result_expires"]),
        # The errback finds with what a step failed in the failure that Celery stores.
        "result_extended": True,
        "task_acks_late": settings["task_acks_late"],
        "task_default_queue": f"{prefix}bakeoff",
        # Only the outcome is asked for; what passes from step to step is in the message.
        "task_ignore_result": True,
        "task_publish_retry_policy": {
            "max_retries": int(settings["publish_max_retries"]),
            "interval_start": 0,
            "interval_step": 0.2,
            "interval_max": 1,
        },
        "task_reject_on_worker_lost": settings["task_reject_on_worker_lost"],
        "task_store_errors_even_if_ignored": True,
        "worker_pool": settings["pool"],
        "worker_prefetch_multiplier": int(settings["worker_prefetch_multiplier"]),
        **settings.raw,
    }
