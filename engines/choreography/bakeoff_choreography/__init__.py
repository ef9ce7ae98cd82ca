"""The plug-in of a saga without an orchestrator: participants hear each other's events in NATS JetStream."""

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
        from nats.aio.client import Client  # noqa: F401 - an empty folder called nats has none
    except ImportError as error:
        raise EngineUnavailableError(
            f'engine "choreography" needs its SDK ({error}): pip install "bakeoff[nats]"'
        ) from error
    from bakeoff_choreography.engine import ChoreographyEngine

    return ChoreographyEngine()
