"""The plug-in: imports everywhere, whatever is installed."""

from __future__ import annotations

from bakeoff.engine import OrchestrationEngine
from bakeoff.hookspecs import hookimpl


@hookimpl
def bakeoff_engine() -> OrchestrationEngine:
    """Import the SDK here; raise ``EngineUnavailableError`` with the installing command if it is missing."""
    from .engine import ThreadsEngine

    return ThreadsEngine()
