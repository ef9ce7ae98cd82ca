"""The commands of the core; plug-ins add theirs beside them."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Annotated

import typer

from bakeoff.cli.doctor import doctor
from bakeoff.cli.engines import engines
from bakeoff.cli.inbox import approve, delegate, inbox, reject
from bakeoff.cli.letters import dead_letters
from bakeoff.cli.looking import describe, history, list_
from bakeoff.cli.redrive import redrive
from bakeoff.cli.sagas import cancel, result, signal, start
from bakeoff.cli.scheduling import schedule, schedules, unschedule
from bakeoff.cli.screen import Quiet
from bakeoff.cli.serve import serve
from bakeoff.cli.stuck import stuck
from bakeoff.cli.up import up
from bakeoff.cli.worker import worker


def build_app() -> typer.Typer:
    """A fresh application; commands of plug-ins are registered by the caller."""
    app = typer.Typer(
        name="bakeoff",
        help="Compare orchestration engines: one saga, the same orders, the same faults, one ledger.",
        # Help and errors hold things like bakeoff[temporal]; rich would read that as a style and drop it.
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    app.callback()(_root)
    for name, command in _COMMANDS.items():
        app.command(name)(command)
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
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No progress, only what is found: bakeoff --quiet run ...")
    ] = False,
) -> None:
    """Compare orchestration engines: one saga, the same orders, the same faults, one ledger."""
    Quiet.wanted = quiet


_COMMANDS: dict[str, Callable[..., None]] = {
    "engines": engines,
    "doctor": doctor,
    "up": up,
    "worker": worker,
    "serve": serve,
    "start": start,
    "result": result,
    "signal": signal,
    "cancel": cancel,
    "schedule": schedule,
    "schedules": schedules,
    "unschedule": unschedule,
    "list": list_,
    "history": history,
    "describe": describe,
    "inbox": inbox,
    "approve": approve,
    "reject": reject,
    "delegate": delegate,
    "stuck": stuck,
    "redrive": redrive,
    "dead-letters": dead_letters,
}
