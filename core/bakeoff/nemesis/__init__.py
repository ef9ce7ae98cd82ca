"""Faults that are done to a running engine from outside, at named points of a saga."""

from collections.abc import Sequence

from bakeoff.hookspecs import hookimpl
from bakeoff.nemesis.fault import Fault, FaultMissedError, FaultNotSupportedError, Landing, Need, Target
from bakeoff.nemesis.kills import ChildKill, ServerKill, WorkerKill

__all__ = [
    "ChildKill",
    "Fault",
    "FaultMissedError",
    "FaultNotSupportedError",
    "Landing",
    "Need",
    "ServerKill",
    "Target",
    "WorkerKill",
]


@hookimpl
def bakeoff_faults() -> Sequence[Fault]:
    """The faults that come with bakeoff."""
    return (WorkerKill(), ChildKill(), ServerKill())
