"""What ``--set choreography.NAME=VALUE`` knows, with the three configuration classes.

``default`` is what nats-server and its client ship. ``recommended`` shortens the lease, which participants
renew as long as they act, and lets the server sync every event before it takes it.
"""

from __future__ import annotations

from collections.abc import Sequence

from bakeoff.engine import Survives
from bakeoff.settings import Setting

SETTINGS: Sequence[Setting] = (
    Setting(
        name="broker_url",
        help="URL of a NATS server of your own with JetStream, 2.12 or newer; empty: bakeoff starts one",
        default="",
        recommended="",
        ci="",
        env="BAKEOFF_CHOREOGRAPHY_BROKER_URL",
        secret=True,
    ),
    Setting(
        name="ack_wait_s",
        lease=True,
        least=0.5,
        help="seconds after which an event comes again whose participant shows no sign of life",
        default=30.0,
        recommended=10.0,
        ci=5.0,
        serves=(Survives.STEP_KILL, Survives.WORKER_KILL),
    ),
    Setting(
        name="sync_always",
        help="a server that bakeoff starts syncs every event to the disk before it takes it",
        default=False,
        recommended=True,
        ci=False,
        only={"broker_url": False},
        serves=(Survives.POWER_LOSS,),
    ),
    Setting(
        name="max_ack_pending",
        least=0,
        help="events that may be unacknowledged at once, those between two attempts included; 0: no limit",
        default=1000,
        recommended=0,
        ci=0,
        tuning=True,
    ),
    Setting(
        name="max_age_s",
        least=0,
        help="seconds for which the log keeps an event, also one that waits until it is due; 0: for ever",
        default=0,
        recommended=0,
        ci=0,
        tuning=True,
    ),
)
