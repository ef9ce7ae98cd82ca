"""The Dramatiq contestant: one pipeline per saga, on Valkey or RabbitMQ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bakeoff.errors import EngineUnavailableError
from bakeoff.hookspecs import hookimpl

if TYPE_CHECKING:
    from bakeoff.engine import OrchestrationEngine


@hookimpl
def bakeoff_engine() -> OrchestrationEngine:
    """Return the engine; the SDK is imported here and nowhere earlier."""
    try:
        from bakeoff_dramatiq.engine import DramatiqEngine
    except ImportError as error:
        raise EngineUnavailableError(
            f'engine "dramatiq" needs its SDK ({error}): pip install "bakeoff[dramatiq]"'
        ) from error
    return DramatiqEngine()
