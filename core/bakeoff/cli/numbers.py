"""Numbers that people type; what a range of typer's lets through."""

from __future__ import annotations

import math
import re
from typing import Annotated

import typer

#: Nobody waits longer for anything here.
_A_YEAR_S = 365 * 86_400
#: Seconds of each unit in which people say a time.
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}
_PIECE = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|min|s|m|h|d)")


def read_seconds(said: str | float) -> float:
    """A time as people say it: ``60``, ``60s``, ``1m30s``, ``2h``; a bare number is of seconds.

    For ``typer.Option(parser=...)``; whether the time makes sense is for whoever asked for it.

    Raises:
        typer.BadParameter: If it is none.
    """
    try:
        return float(said)
    except ValueError:
        text = str(said)
    pieces = _PIECE.findall(text)
    if not pieces or _PIECE.sub("", text).strip():
        raise typer.BadParameter(f"{text!r} is no time; write seconds, or 60s, 1m30s, 2h")
    return sum(float(number) * _UNITS[unit] for number, unit in pieces)


def finite_seconds(value: float | None) -> float | None:
    """A callback for options in seconds: ``nan`` is in every range, and ``inf`` in most.

    Raises:
        typer.BadParameter: If it is no time that anybody would wait.
    """
    if value is not None and not (math.isfinite(value) and value <= _A_YEAR_S):
        raise typer.BadParameter(f"{value:g} is no number of seconds up to a year")
    return value


DeadlineOption = Annotated[
    float | None,
    typer.Option(
        "--deadline",
        min=1,
        callback=finite_seconds,
        metavar="SECONDS",
        help="What is not settled by then is stuck.",
    ),
]
