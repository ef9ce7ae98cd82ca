"""bakeoff: the same saga on every engine, judged from an independent ledger."""

from bakeoff.engine import Capability, Claim, EngineInfo, Support, Survives
from bakeoff.errors import BakeoffError, BusinessError
from bakeoff.hookspecs import hookimpl
from bakeoff.outcome import Cause, Outcome, Status
from bakeoff.saga import Call, Parallel, RetryPolicy, Saga, Sleep, Step, Wait

__all__ = [
    "BakeoffError",
    "BusinessError",
    "Call",
    "Capability",
    "Cause",
    "Claim",
    "EngineInfo",
    "Outcome",
    "Parallel",
    "RetryPolicy",
    "Saga",
    "Sleep",
    "Status",
    "Step",
    "Support",
    "Survives",
    "Wait",
    "hookimpl",
]
