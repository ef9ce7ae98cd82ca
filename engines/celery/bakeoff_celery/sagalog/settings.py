"""What ``--set celery-sagalog.NAME=VALUE`` knows, with the three configuration classes.

What is Celery's own is as Celery ships it, but for the prefetch: acknowledgements, visibility timeout and
persistence of the broker do not matter, because the log publishes again what gets lost. The leases are ours.
A message is lost when it has waited for T = 30 s, the common step timeout: so long may one step hold a slot.
An attempt is lost when its process has missed three heartbeats of 5 s, however long its step may take.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kombu import Exchange, Queue

from bakeoff.engine import Capability, Survives
from bakeoff.settings import Setting, SettingsInForce
from bakeoff.sharing import worker_processes
from bakeoff_celery.sagalog.doorbell import SWEEP

#: What a lease is there for, and what keeps sagas while the broker is away or dead.
_LEASE = (Survives.STEP_KILL, Survives.WORKER_KILL)
_SERVER = (Survives.BROKER_RESTART, Survives.BROKER_KILL)
_RABBITMQ, _POSTGRES = {"broker": "rabbitmq"}, {"log": "postgres"}


def _same(name: str, help: str, value: int | float | str | bool, **more: Any) -> Setting:
    return Setting(name=name, help=help, default=value, recommended=value, ci=value, **more)


SETTINGS: Sequence[Setting] = (
    _same("broker", "message broker", "valkey", choices=("valkey", "rabbitmq"), tries=("valkey", "rabbitmq")),
    _same(
        "broker_url",
        "URL of a broker of your own (redis:// or amqp://); empty: bakeoff starts one",
        "",
        env="BAKEOFF_CELERY_SAGALOG_BROKER_URL",
        secret=True,
    ),
    _same(
        "log",
        "database of the saga log: a SQLite file in the deployment's folder, or PostgreSQL",
        "sqlite",
        choices=("sqlite", "postgres"),
    ),
    _same(
        "log_url",
        "URL of a PostgreSQL of your own for the saga log (postgresql://...); empty: bakeoff starts one",
        "",
        env="BAKEOFF_CELERY_SAGALOG_LOG_URL",
        secret=True,
        only=_POSTGRES,
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
    _same(
        "confirm_publish", "wait until the broker has confirmed a message", False, only=_RABBITMQ, tuning=True
    ),
    _same(
        "publish_max_retries",
        "how often a refused publication is tried again (pauses up to 1 s)",
        3,
        least=0,
        tuning=True,
    ),
    _same(
        "hard_limit_margin",
        "seconds between a step's timeout and the kill of its process (Celery's hard limit)",
        10.0,
        serves=(Capability.TIMEOUT,),
    ),
    Setting(
        name="sweep_period",
        help="seconds between two looks for lost messages and attempts",
        default=1.0,
        recommended=1.0,
        ci=0.5,
        serves=(*_LEASE, *_SERVER, Capability.TIMERS, Capability.LONG_TIMERS),
    ),
    Setting(
        name="message_lease",
        lease=True,
        help="seconds after which a message that nobody took is published again, then twice as long",
        default=30.0,
        recommended=30.0,
        ci=5.0,
        serves=(Survives.WORKER_KILL, *_SERVER),
    ),
    Setting(
        name="step_lease",
        lease=True,
        help="seconds of silence after which an attempt counts as lost; one that acts renews it three times",
        default=15.0,
        recommended=15.0,
        ci=6.0,
        serves=_LEASE,
    ),
    Setting(
        name="poll_interval",
        help="seconds between two looks of a client for the outcomes that it awaits",
        default=0.05,
        recommended=0.05,
        ci=0.02,
        serves=(Capability.OUTCOME,),
    ),
)


def celery_configuration(
    settings: SettingsInForce, prefix: str, connection_name: str | None = None
) -> dict[str, Any]:
    """Return Celery's own configuration for these settings; every name in it carries ``prefix``."""
    transport: dict[str, Any]
    if settings["broker"] == "valkey":
        transport = {
            **({"client_name": connection_name} if connection_name else {}),
            "global_keyprefix": prefix,
        }
    else:
        transport = {
            **({"client_properties": {"connection_name": connection_name}} if connection_name else {}),
            "confirm_publish": settings["confirm_publish"],
        }
    queues = [f"{prefix}bakeoff", f"{prefix}bakeoff-sweeps"]
    return {
        "broker_connection_retry_on_startup": True,
        "broker_transport_options": transport,
        "control_exchange": f"{prefix}celery",
        "event_exchange": f"{prefix}celeryev",
        "event_queue_prefix": f"{prefix}celeryev",
        "sagalog_sweep_period": settings["sweep_period"],
        "task_default_queue": queues[0],
        "task_ignore_result": True,
        "task_publish_retry_policy": {
            "max_retries": int(settings["publish_max_retries"]),
            "interval_start": 0,
            "interval_step": 0.2,
            "interval_max": 1,
        },
        "task_queues": [Queue(name, Exchange(name, type="direct"), routing_key=name) for name in queues],
        "task_routes": {SWEEP: {"queue": queues[1]}},
        "worker_prefetch_multiplier": int(settings["worker_prefetch_multiplier"]),
        **settings.raw,
    }
