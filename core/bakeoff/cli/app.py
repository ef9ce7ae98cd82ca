"""The commands of the core; plug-ins add theirs beside them."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer


def build_app() -> typer.Typer:
    """A fresh application; commands of plug-ins are registered by the caller."""
    app = typer.Typer(
        name="bakeoff",
        help="Compare orchestration engines: one saga, the same orders, the same faults, one ledger.",
        add_completion=False,
        # Help and errors hold things like bakeoff[temporal]; rich would read that as a style and drop it.
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    app.callback()(_root)
    return app


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"bakeoff {version('bakeoff')}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and end.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """Compare orchestration engines: one saga, the same orders, the same faults, one ledger."""
