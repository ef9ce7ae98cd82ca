"""Faults that are done to a running engine from outside, at named points of a saga."""

from collections.abc import Sequence

from bakeoff.hookspecs import hookimpl
from bakeoff.nemesis.deploys import WorkerTerm, WorkerTermKill
from bakeoff.nemesis.fault import Fault, FaultMissedError, FaultNotSupportedError, Landing, Need, Target
from bakeoff.nemesis.kills import ChildKill, ResultsKill, ServerKill, WorkerKill
from bakeoff.nemesis.network import NetBlackhole, NetLatency, NetReset
from bakeoff.nemesis.pauses import ServerPause, WorkerPause
from bakeoff.nemesis.services import BridgeKill, ServiceAway, ServiceKill, ServicePause
from bakeoff.nemesis.twice import TwoKills

__all__ = [
    "BridgeKill",
    "ChildKill",
    "Fault",
    "FaultMissedError",
    "FaultNotSupportedError",
    "Landing",
    "Need",
    "NetBlackhole",
    "NetLatency",
    "NetReset",
    "ResultsKill",
    "ServerKill",
    "ServerPause",
    "ServiceAway",
    "ServiceKill",
    "ServicePause",
    "Target",
    "TwoKills",
    "WorkerKill",
    "WorkerPause",
    "WorkerTerm",
    "WorkerTermKill",
]


@hookimpl
def bakeoff_faults() -> Sequence[Fault]:
    """The faults that come with bakeoff."""
    return (
        WorkerKill(),
        ChildKill(),
        WorkerTerm(),
        WorkerTermKill(),
        WorkerPause(),
        TwoKills(),
        ServerKill(),
        ServerPause(),
        ResultsKill(),
        NetLatency(),
        NetBlackhole(),
        NetReset(),
        ServiceKill(),
        ServiceAway(),
        ServicePause(),
        BridgeKill(),
    )
