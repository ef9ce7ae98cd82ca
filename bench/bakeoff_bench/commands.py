"""The commands that this package adds to the command line; imported at every start, so it stays light."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bakeoff import hookimpl

if TYPE_CHECKING:
    import typer


@hookimpl
def bakeoff_register_commands(cli: typer.Typer) -> None:
    """Add ``run``, ``check`` and ``scenarios``."""
    from bakeoff_bench.run.command import check, run, scenarios

    cli.command("run")(run)
    cli.command("check")(check)
    cli.command("scenarios")(scenarios)
