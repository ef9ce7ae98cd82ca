"""The declared settings of the Temporal engine, with the reason of each value that we changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bakeoff.engine import Capability, Survives
from bakeoff.settings import Setting, Value
from bakeoff.sharing import worker_processes

#: The dev server's own value; see ``poll_rps``.
POLL_RPS_AS_SHIPPED: Final = 20
#: Every Temporal server's own value; see ``timer_shift_ms``.
TIMER_SHIFT_MS_AS_SHIPPED: Final = 1000
#: The SDK's own number of long polls, of workflow tasks as of activity tasks.
POLLERS_AS_SHIPPED: Final = 5

#: Why ``local_activities`` leave no way to cancel.
NO_CANCEL: Final = (
    "a workflow task that is begun again for a cancel has forgotten which steps it had made, "
    "and would undo none of them"
)

#: What a lease is there for.
_LEASE: Final = (Survives.STEP_KILL, Survives.WORKER_KILL)
_OWN_SERVER: Final[Mapping[str, Value]] = {"address": True}
_DEV_SERVER: Final[Mapping[str, Value]] = {"address": False, "server": "dev"}
_BY_THE_SERVER: Final[Mapping[str, Value]] = {"local_activities": False}

SETTINGS: Final[tuple[Setting, ...]] = (
    Setting(
        name="address",
        help="host:port of a Temporal server of your own; without it a dev server is started",
        default=None,
        recommended=None,
        ci=None,
        env="BAKEOFF_TEMPORAL_ADDRESS",
    ),
    Setting(
        name="namespace",
        help="namespace on the server",
        default="default",
        recommended="default",
        ci="default",
        env="BAKEOFF_TEMPORAL_NAMESPACE",
    ),
    Setting(
        name="api_key",
        help="API key of your own server (implies TLS)",
        default=None,
        recommended=None,
        ci=None,
        env="BAKEOFF_TEMPORAL_API_KEY",
        secret=True,
        only=_OWN_SERVER,
    ),
    Setting(
        name="tls",
        help="connect with TLS",
        default=False,
        recommended=False,
        ci=False,
        env="BAKEOFF_TEMPORAL_TLS",
        only=_OWN_SERVER,
    ),
    Setting(
        name="tls_ca",
        help="file with the server's root certificate (PEM; implies TLS)",
        default=None,
        recommended=None,
        ci=None,
        env="BAKEOFF_TEMPORAL_TLS_CA",
        only=_OWN_SERVER,
    ),
    Setting(
        name="tls_cert",
        help="file with the client certificate (PEM; implies TLS, needs tls_key)",
        default=None,
        recommended=None,
        ci=None,
        env="BAKEOFF_TEMPORAL_TLS_CERT",
        only=_OWN_SERVER,
    ),
    Setting(
        name="tls_key",
        help="file with the client's private key (PEM)",
        default=None,
        recommended=None,
        ci=None,
        env="BAKEOFF_TEMPORAL_TLS_KEY",
        only=_OWN_SERVER,
    ),
    Setting(
        name="ui",
        help="URL of the web UI of your own server, e.g. http://localhost:8080, for links to sagas",
        default=None,
        recommended=None,
        ci=None,
        env="BAKEOFF_TEMPORAL_UI",
        only=_OWN_SERVER,
    ),
    Setting(
        name="server",
        help="what is started: dev, or time-skipping (in memory; only for timers nobody can wait for)",
        default="dev",
        recommended="dev",
        ci="dev",
        choices=("dev", "time-skipping"),
        only={"address": False},
    ),
    # `start-dev` keeps everything in memory unless told otherwise, and then survives nothing.
    Setting(
        name="database",
        help="memory (as shipped), file (SQLite's defaults) or wal (synchronous=NORMAL)",
        default="memory",
        recommended="wal",
        ci="wal",
        choices=("memory", "file", "wal"),
        only=_DEV_SERVER,
        serves=(Survives.BROKER_RESTART, Survives.BROKER_KILL),
    ),
    # 20 polls per second and shard, and the dev server has one shard: after a burst every hop between
    # server and worker waits up to 50 ms. A production cluster has 512 shards and never meets this limit.
    Setting(
        name="poll_rps",
        help="history.transferProcessorMaxPollRPS and history.timerProcessorMaxPollRPS",
        default=POLL_RPS_AS_SHIPPED,
        recommended=2000,
        ci=2000,
        only=_DEV_SERVER,
        tuning=True,
    ),
    # The timer queue looks up to this far ahead and fires late by as much: a retry after 100 ms comes after
    # up to a second. Every Temporal cluster is shipped so; the queue
    # engines' like pauses are shortened in `recommended`, so this one is as well.
    Setting(
        name="timer_shift_ms",
        help="history.timerProcessorMaxTimeShift, milliseconds by which timers may be late",
        default=TIMER_SHIFT_MS_AS_SHIPPED,
        recommended=10,
        ci=10,
        only=_DEV_SERVER,
        serves=(Capability.RETRY, Capability.TIMEOUT, Capability.TIMERS, Capability.WAIT_TIMEOUT),
    ),
    # A saga without retries, waits and timers is one workflow task then; what that costs, the claims say.
    Setting(
        name="local_activities",
        help="new sagas make their steps as local activities, in the worker that has the workflow task; "
        "what a crash repeats is that task",
        default=False,
        recommended=False,
        ci=False,
        tries=(False, True),
        tuning=True,
    ),
    # Nobody hears from a local activity while it runs: that its worker is dead is noticed when the workflow
    # task that it belongs to runs out. The server takes ten seconds unless a start says otherwise.
    Setting(
        name="workflow_task_timeout_s",
        lease=True,
        least=1,
        help="with local activities: seconds until another worker begins a dead worker's workflow task again",
        default=10.0,
        recommended=10.0,
        ci=10.0,
        only={"local_activities": True},
        serves=_LEASE,
    ),
    # The worker asks for it as the SDK ships it; the dev server refuses as it ships.
    Setting(
        name="eager_activities",
        help="system.enableActivityEagerExecution: a step's activity comes with the answer to the workflow "
        "task that ordered it, without a turn through the task queue",
        default=False,
        recommended=False,
        ci=False,
        only={**_DEV_SERVER, **_BY_THE_SERVER},
        tries=(False, True),
        tuning=True,
    ),
    # A workflow task goes first to the worker that has the workflow in its cache; if that worker is dead,
    # this long passes before another one gets it. The price of a short time is a replay where the worker is
    # alive but slow to ask, so `recommended` stays above any pause of a healthy worker.
    Setting(
        name="sticky_timeout_s",
        lease=True,
        least=0.001,
        help="worker: seconds until a workflow task leaves a dead worker's own queue",
        default=10.0,
        recommended=2.0,
        ci=1.0,
        serves=_LEASE,
    ),
    # Without heartbeats a dead worker's step is missed at its start-to-close timeout. The demonstration steps
    # have two seconds, less than any sensible heartbeat; steps of T = 30 s are missed after a third of that.
    Setting(
        name="heartbeat_timeout_s",
        lease=True,
        least=0,
        help="seconds without a heartbeat of a step's worker after which it is tried again; 0: no heartbeats",
        default=0.0,
        recommended=10.0,
        ci=5.0,
        only=_BY_THE_SERVER,
        serves=_LEASE,
    ),
    Setting(
        name="start_to_close_factor",
        least=1,
        help="multiplies the start-to-close timeouts of the steps, to see what they cost after a crash",
        default=1.0,
        recommended=1.0,
        ci=1.0,
    ),
    # Kubernetes and systemd send SIGTERM: without patience every deployment costs an attempt.
    Setting(
        name="graceful_shutdown_s",
        least=0,
        help="worker: seconds that running activities get after SIGTERM",
        default=0.0,
        recommended=30.0,
        ci=5.0,
        tuning=True,
    ),
    Setting(
        name="workflow_pollers",
        help="worker: long polls for workflow tasks; 0: autoscaling, by the server's feedback",
        least=0,
        default=POLLERS_AS_SHIPPED,
        recommended=POLLERS_AS_SHIPPED,
        ci=POLLERS_AS_SHIPPED,
        tries=(0, 2, 5, 10),
        tuning=True,
    ),
    Setting(
        name="activity_pollers",
        help="worker: long polls for activity tasks; 0: autoscaling, by the server's feedback",
        least=0,
        default=POLLERS_AS_SHIPPED,
        recommended=POLLERS_AS_SHIPPED,
        ci=POLLERS_AS_SHIPPED,
        only=_BY_THE_SERVER,
        tries=(0, 2, 5, 10),
        tuning=True,
    ),
    # Workflow code holds one interpreter lock, whatever the threads of the activities do.
    worker_processes("an SDK worker each"),
    # The sandbox guards against non-deterministic workflow code by importing it anew for every workflow.
    # Our one workflow class is fixed and replay-tested, so an expert who counts CPU switches it off.
    Setting(
        name="sandbox",
        help="worker: run workflow code in the SDK's sandbox",
        default=True,
        recommended=False,
        ci=False,
        tries=(False, True),
        tuning=True,
    ),
    # As shipped, the SDK notices about five seconds after a start-to-close timeout, and only then raises into
    # the thread; a few slow calls, and the worker does nothing more. Celery and Dramatiq end such an attempt
    # at its timeout, so `recommended` stops listening to it then.
    Setting(
        name="release_overrun_slots",
        help="worker: an attempt that outlives its timeout gives its slot back, and runs on without one",
        default=False,
        recommended=True,
        ci=True,
        serves=(Capability.TIMEOUT,),
    ),
)
