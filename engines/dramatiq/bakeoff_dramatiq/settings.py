"""What ``--set dramatiq.NAME=VALUE`` knows, with the three configuration classes.

``default`` is what Dramatiq ships. ``recommended`` keeps Dramatiq's own lease of 60 s (twice the common step
timeout T = 30 s), but makes it act: every command looks for dead workers, not one in a thousand.
"""

from __future__ import annotations

from collections.abc import Sequence

from bakeoff.engine import Capability, Means, Survives
from bakeoff.settings import Setting

#: What a lease is there for, and what keeps messages while their server is away or dead.
_LEASE = (Survives.STEP_KILL, Survives.WORKER_KILL)
_SERVER = (Survives.BROKER_RESTART, Survives.BROKER_KILL)
#: What is late where an idle queue is seldom looked at.
_PAUSES = (Capability.RETRY, Capability.TIMERS, Capability.WAIT_TIMEOUT)
_VALKEY, _RABBITMQ = {"broker": "valkey"}, {"broker": "rabbitmq"}


def _same(name: str, help: str, value: int | float | str | bool, **more: object) -> Setting:
    return Setting(name=name, help=help, default=value, recommended=value, ci=value, **more)  # type: ignore[arg-type]


SETTINGS: Sequence[Setting] = (
    _same("broker", "message broker", "valkey", choices=("valkey", "rabbitmq"), tries=("valkey", "rabbitmq")),
    _same(
        "broker_url",
        "URL of a broker of your own (redis:// or amqp://); empty: bakeoff starts one",
        "",
        env="BAKEOFF_DRAMATIQ_BROKER_URL",
        secret=True,
    ),
    _same(
        "results_url",
        "URL of a Valkey or Redis of your own for outcomes and unique rows (redis://)",
        "",
        env="BAKEOFF_DRAMATIQ_RESULTS_URL",
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
    _same(
        "processes",
        "child processes of one worker, which share its slots: each has slots / processes threads",
        1,
        tries=(1, 2, 4),
        shares_slots=True,
        tuning=True,
    ),
    Setting(
        name="heartbeat_timeout_s",
        lease=True,
        least=0.1,
        help="seconds without a sign of life after which a worker process counts as dead",
        default=60.0,
        recommended=60.0,
        ci=5.0,
        only=_VALKEY,
        serves=_LEASE,
    ),
    Setting(
        name="maintenance_chance",
        help="how many of a million commands look for dead workers",
        default=1_000,
        recommended=1_000_000,
        ci=1_000_000,
        only=_VALKEY,
        serves=_LEASE,
    ),
    Setting(
        name="dead_message_ttl_s",
        help="seconds that failed messages stay in the dead-letter queue",
        default=604_800,
        recommended=604_800,
        ci=3_600,
        only=_VALKEY,
        serves=(Means.DEAD_LETTERS,),
    ),
    Setting(
        name="worker_timeout_ms",
        help="longest pause between two looks at an idle queue; bounds the precision of delays and retries",
        default=1_000,
        recommended=100,
        ci=20,
        serves=_PAUSES,
    ),
    Setting(
        name="queue_prefetch",
        least=0,
        help="messages that a worker process holds, those in progress included; 0: twice its threads",
        default=0,
        recommended=0,
        ci=0,
        tries=(0, 1, 8, 32),
        tuning=True,
    ),
    Setting(
        name="restart_delay_ms",
        help="pause before a consumer that lost its broker tries again",
        default=3_000,
        recommended=500,
        ci=200,
        serves=_SERVER,
    ),
    Setting(
        name="time_limit_interval_ms",
        help="how often running steps are compared with their timeout",
        default=1_000,
        recommended=100,
        ci=20,
        serves=(Capability.TIMEOUT,),
    ),
    Setting(
        name="requeue_delayed",
        help="take delayed messages back that a broken connection left leased to this living worker",
        default=False,
        recommended=True,
        ci=True,
        only=_VALKEY,
        serves=_SERVER,
    ),
    Setting(
        name="reject_unreadable",
        help="dead-letter a message that cannot be decoded, instead of forgetting what was fetched with it",
        default=False,
        recommended=True,
        ci=True,
        only=_VALKEY,
        serves=(Means.DEAD_LETTERS,),
    ),
    Setting(
        name="connection_retries",
        least=0,
        help="how often a command or connection that failed is tried again (pauses up to 1 s)",
        default=0,
        recommended=30,
        ci=30,
        serves=_SERVER,
    ),
    Setting(
        name="confirm_delivery",
        help="wait until the broker has confirmed a message",
        default=False,
        recommended=True,
        ci=True,
        only=_RABBITMQ,
        serves=_SERVER,
    ),
    Setting(
        name="own_tags",
        help="acknowledge over a connection only what came over it, and no other message of that number",
        default=False,
        recommended=True,
        ci=True,
        only=_RABBITMQ,
        serves=_SERVER,
    ),
    _same(
        "result_ttl_s",
        "seconds that outcome and unique rows of a settled saga are kept",
        604_800,
        serves=(Capability.OUTCOME, Capability.IDEMPOTENT_START),
    ),
)
