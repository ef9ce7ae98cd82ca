"""Numbers that people type; what a range of typer's lets through."""

from __future__ import annotations

import math
from typing import Annotated

import typer

#: Nobody waits longer for anything here.
_A_YEAR_S = 365 * 86_400


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
