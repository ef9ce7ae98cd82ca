"""The whole extension surface, in the order in which it is called.

A plug-in is a module named by an entry point; it implements any of these with ``@bakeoff.hookimpl``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    import typer

    from bakeoff.bridge.kind import BridgeKind
    from bakeoff.engine import OrchestrationEngine
    from bakeoff.nemesis import Fault

#: Name of the pluggy project and of the entry-point groups ``bakeoff.engines``, ``bakeoff.bridges``,
#: ``bakeoff.faults`` and ``bakeoff.commands``.
PROJECT = "bakeoff"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def bakeoff_engine() -> OrchestrationEngine | None:
    """Return the engine of this plug-in.

    Import the SDK inside this function and raise ``EngineUnavailableError`` with the installing command
    where it is missing: the module itself must import everywhere. Called once, when the engine is asked for.
    """


@hookspec
def bakeoff_bridge() -> BridgeKind | None:
    """Return the bridge of this plug-in.

    Import its client inside the methods of what is returned: the module itself must import everywhere.
    Called whenever ``--bridge`` is read, and by every process that connects.
    """


@hookspec
def bakeoff_faults() -> Sequence[Fault] | None:
    """Return the kinds of fault that this plug-in brings. Called once, by ``bakeoff crash``."""


@hookspec
def bakeoff_register_commands(cli: typer.Typer) -> None:
    """Add commands to the command line. Called once at start, before arguments are read."""
