"""What `bakeoff run` consists of, and which engines each part can take."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from bakeoff.cli.options import ChosenEngine


class RunPart(StrEnum):
    """``--only``."""

    SAGAS = "sagas"
    CRASH = "crash"
    LOAD = "load"


def pinned(chosen: Sequence[ChosenEngine], sets: Sequence[str]) -> tuple[str, ...]:
    """``--set`` that chooses the same broker as these engines have, for parts that would try them all."""
    own = [
        f"{one.name}.broker={one.settings['broker']}"
        for one in chosen
        if any(setting.name == "broker" for setting in one.engine.info().settings)
        and not any(text.startswith(f"{one.name}.broker=") for text in sets)
    ]
    return (*sets, *own)


def ours(chosen: Sequence[ChosenEngine]) -> tuple[list[ChosenEngine], list[ChosenEngine]]:
    """Engines whose servers bakeoff starts, and those with one of the user's: nothing is killed there."""
    theirs = [
        one
        for one in chosen
        if any(server.external_address is not None for server in one.engine.servers(one.settings))
    ]
    return [one for one in chosen if one not in theirs], theirs
