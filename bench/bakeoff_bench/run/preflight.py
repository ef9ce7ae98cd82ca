"""Finds out before anything starts whether every engine's servers can be had."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bakeoff.cli.inventory import missing_program
from bakeoff.cli.options import ChosenEngine
from bakeoff.cli.screen import warn
from bakeoff.errors import EngineUnavailableError
from bakeoff.processes import Launcher
from bakeoff.servers import start_server


async def with_servers(chosen: Sequence[ChosenEngine], *, named: bool) -> list[ChosenEngine]:
    """The engines whose server programs are installed and whose external servers answer.

    Args:
        chosen: Engines with settings.
        named: The user asked for them: a missing program is an error, not a warning.

    Raises:
        EngineUnavailableError: If a program of an engine asked for by name is missing, or no engine is left.
        UsageError: If an external server does not answer.
    """
    ready: list[ChosenEngine] = []
    for one in chosen:
        problem = await missing_servers(one)
        if problem is None:
            ready.append(one)
        elif named:
            raise EngineUnavailableError(problem)
        else:
            warn(f"left out: engine {one.name!r}: {problem}")
    if not ready:
        raise EngineUnavailableError("no engine can be started; `bakeoff doctor` tells what is missing")
    return ready


async def missing_servers(one: ChosenEngine) -> str | None:
    """Which program of its servers is not installed, in a sentence; ``None`` if there is all.

    Raises:
        UsageError: If an external server does not answer.
    """
    for server in one.engine.servers(one.settings):
        if server.external_address is not None:
            folder = Path()  # an external server is only asked: nothing is launched or written
            with Launcher(folder) as launcher:
                await start_server(server, launcher, folder)
        else:
            missing = missing_program(server)
            if missing is not None:
                return missing
    return None
