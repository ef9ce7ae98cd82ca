"""What an engine declares of itself against the impression that kills at named points leave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bakeoff.engine import Survives

#: ``{fault: what an engine must declare to survive it at any moment}``.
_NEEDED = {
    "worker-kill": Survives.WORKER_KILL,
    "worker-term-kill": Survives.WORKER_KILL,
    "two-kills": Survives.WORKER_KILL,
    "server-kill": Survives.BROKER_KILL,
}


def gap_of(about: Mapping[str, Any], fault: str) -> str | None:
    """Why harm is possible though no kill did any; empty if the engine declares that it is not.

    ``None`` if nobody knows: the run is older than the question. Of a fault that no engine can declare
    anything about there is no gap.

    Points stand where a step acts. A message that is lost on its way is met by no kill there.

    Args:
        about: A contestant of a crash manifest.
        fault: Its name.
    """
    needed = _NEEDED.get(fault)
    if needed is None:
        return ""
    if "survives" not in about:
        return None
    if str(needed) in about["survives"]:
        return ""
    # The note of an engine is about its workers, where it has something to say about deaths.
    note = f": {about['note']}" if about.get("note") and needed is Survives.WORKER_KILL else ""
    return f"it does not declare to survive this at any moment{note}"
