"""The plug-in of the in-process engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bakeoff.hookspecs import hookimpl

if TYPE_CHECKING:
    from bakeoff.engine import OrchestrationEngine


@hookimpl
def bakeoff_engine() -> OrchestrationEngine:
    """Return the engine; it needs nothing but core."""
    from bakeoff_inline.engine import InlineEngine

    return InlineEngine()
