"""How long the suite takes on an engine, roughly: for whoever has to wait for it."""

from __future__ import annotations

from collections.abc import Sequence

from bakeoff.engine import EngineInfo

#: Seconds of the whole suite, in class ``ci``. Of seven at a time on two cores the slowest took 394 s; most
#: of that is waiting for leases, so one alone is not much faster. Where nothing is killed, nobody waits.
_KILLED_S, _SPARED_S = 400.0, 90.0


def suite_seconds(info: EngineInfo) -> float:
    """Rough seconds on this engine; one that declares to survive nothing is not killed."""
    return _KILLED_S if info.survives else _SPARED_S


def announcement(engines: Sequence[tuple[str, EngineInfo]]) -> str:
    """One line for people, before the first test.

    Args:
        engines: ``(label, what the engine says of itself)``, one after the other.
    """
    minutes = max(1, round(sum(suite_seconds(info) for _, info in engines) / 60))
    told = f"the contract suite on {', '.join(label for label, _ in engines)}: about {minutes} min"
    if any(info.survives for _, info in engines):
        told += ', most of it waiting for leases (-m "not recovery" leaves that out)'
    return told
