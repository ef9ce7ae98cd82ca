"""The sweeps that matter: settings that people change, and the faults that show what they did."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bakeoff.errors import UnknownNameError

#: After the effect on the way forward, before it on the way back.
_POINTS = ("charge_payment.after_effect", "refund_payment.before_effect")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """Faults at points, once for every combination of settings.

    Attributes:
        name, description: For ``bakeoff sweep``.
        engines: Names.
        vary: ``{"ENGINE.NAME": texts}``; one that has no effect on a broker is left out there.
        brokers: Of engines that have a choice; empty for all.
        faults, points: Names.
        deadline_s: Seconds after a fault.
        untested: What the question would include, and why this machine cannot tell.
    """

    name: str
    description: str
    engines: Sequence[str]
    vary: Mapping[str, Sequence[str]]
    brokers: Sequence[str] = ()
    faults: Sequence[str] = ("worker-kill",)
    points: Sequence[str] = _POINTS
    deadline_s: float = 60.0
    untested: str = ""


_ALL = (
    Sweep(
        name="celery-redelivery",
        description="acks_late x reject_on_worker_lost x visibility timeout on Valkey, RabbitMQ beside it",
        engines=("celery",),
        vary={
            "celery.task_acks_late": ("true", "false"),
            "celery.task_reject_on_worker_lost": ("true", "false"),
            "celery.visibility_timeout": ("12", "20", "45"),
        },
        faults=("worker-kill", "child-kill"),
    ),
    Sweep(
        name="dramatiq-leases",
        description="heartbeat timeout x maintenance chance on Valkey",
        engines=("dramatiq",),
        vary={
            "dramatiq.heartbeat_timeout_s": ("2", "5", "20"),
            "dramatiq.maintenance_chance": ("1000", "100000", "1000000"),
        },
        brokers=("valkey",),
    ),
    Sweep(
        name="temporal-timeouts",
        description="heartbeat timeout x sticky timeout x the steps' start-to-close timeout",
        engines=("temporal",),
        vary={
            "temporal.sticky_timeout_s": ("1", "2", "10"),
            "temporal.heartbeat_timeout_s": ("0", "1"),
            "temporal.start_to_close_factor": ("1", "5"),
        },
    ),
    Sweep(
        name="durability",
        description="what the broker or server writes down, when it is killed and started again on its data",
        engines=("celery", "dramatiq", "temporal"),
        vary={
            "celery.appendonly": ("true", "false"),
            "dramatiq.appendonly": ("true", "false"),
            "temporal.database": ("wal", "file", "memory"),
        },
        faults=("server-kill",),
        untested="D2 (fsync for every acknowledgement) differs from D1 only when the power fails: not tested",
    ),
)

SWEEPS: Mapping[str, Sweep] = {sweep.name: sweep for sweep in _ALL}


def find_sweep(name: str) -> Sweep:
    """Return the sweep called ``name``; ``UnknownNameError`` lists the known ones."""
    if name in SWEEPS:
        return SWEEPS[name]
    close = difflib.get_close_matches(name, SWEEPS, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise UnknownNameError(f"sweep {name!r} is not known; known: {', '.join(sorted(SWEEPS))}.{hint}")
