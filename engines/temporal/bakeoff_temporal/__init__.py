"""The Temporal engine of bakeoff; nothing of the SDK is imported before the engine is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bakeoff import hookimpl

if TYPE_CHECKING:
    from bakeoff.engine import OrchestrationEngine


@hookimpl
def bakeoff_engine() -> OrchestrationEngine:
    """Return the engine; ``EngineUnavailableError`` where ``temporalio`` is missing."""
    from bakeoff.errors import EngineUnavailableError

    try:
        from temporalio.client import Client  # noqa: F401 - find_spec would be fooled by an empty folder
    except ImportError as error:
        raise EngineUnavailableError(
            'engine "temporal" needs its SDK: pip install "bakeoff[temporal]"'
        ) from error
    from bakeoff_temporal.engine import TemporalEngine

    return TemporalEngine()
