"""``python -m bakeoff_bench.speed``: the same as ``bakeoff bench speed``."""

from __future__ import annotations

import typer

from bakeoff_bench.speed.command import speed

if __name__ == "__main__":
    typer.run(speed)
