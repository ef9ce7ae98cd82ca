"""What a saga asks of an engine."""

from __future__ import annotations

from collections.abc import Iterable

from bakeoff.engine import Capability, EngineInfo, Support
from bakeoff.saga import Parallel, Saga, Sleep, Wait


def needs_of(saga: Saga) -> tuple[Capability, ...]:
    """Capabilities without which this saga cannot run as it is written."""
    needs = {Capability.ORDER: None, Capability.RETRY: None, Capability.TIMEOUT: None}
    if any(step.compensation for step in saga.steps()):
        needs |= {Capability.COMPENSATION: None, Capability.OWN_UNDO: None}
    if saga.pivot_index() is not None:
        needs[Capability.PIVOT] = None
    if any(step.when is not None for step in saga.steps()):
        needs[Capability.CONDITIONS] = None
    if saga.escalations():
        needs[Capability.ESCALATION] = None
    for element in saga.elements:
        match element:
            case Parallel():
                needs[Capability.PARALLEL] = None
            case Sleep():
                needs[Capability.TIMERS] = None
            case Wait(timeout=timeout, when=when):
                if when is not None:
                    needs[Capability.CONDITIONS] = None
                needs[Capability.SIGNALS] = None
                if timeout is not None:
                    needs[Capability.WAIT_TIMEOUT] = None
    return tuple(needs)


def lacking(saga: Saga, info: EngineInfo, also: Iterable[Capability] = ()) -> dict[Capability, str]:
    """``{capability: the engine's reason}`` for every need (and ``also``) that it declares absent."""
    claims = {need: info.claims[need] for need in (*needs_of(saga), *also)}
    return {need: claim.reason for need, claim in claims.items() if claim.support is Support.ABSENT}
