"""The plug-in of Celery with a saga log: a database decides what is next, a message only says when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bakeoff.errors import EngineUnavailableError
from bakeoff.hookspecs import hookimpl

if TYPE_CHECKING:
    from bakeoff.engine import OrchestrationEngine


@hookimpl
def bakeoff_engine() -> OrchestrationEngine:
    """Return the engine.

    Raises:
        EngineUnavailableError: If Celery or its Redis client is not installed.
    """
    try:
        import celery.canvas  # noqa: F401 - an empty folder called celery has none
        import redis  # noqa: F401
    except ImportError as error:
        raise EngineUnavailableError(
            f'Celery is not installed ({error}); install it: pip install "bakeoff[celery]"'
        ) from error
    from bakeoff_celery.sagalog.engine import SagaLogEngine

    return SagaLogEngine()
