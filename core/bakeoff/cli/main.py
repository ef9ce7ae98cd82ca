"""From arguments to an exit code: 0 done, 1 it failed, 2 the user's mistake, 128 + n ended by signal n."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path

import typer

from bakeoff.cli.app import build_app
from bakeoff.cli.failures import of_a_path, of_the_machine
from bakeoff.cli.interrupts import Interrupts
from bakeoff.cli.screen import complain, warn
from bakeoff.errors import BakeoffError, ServerStartError, UsageError
from bakeoff.plugins import Plugins

#: ``click.ClickException``, which typer brings along under changing names.
_BadArguments: type[Exception] = typer.BadParameter.__mro__[2]

USAGE = 2
FAILED = 1


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and end the process with its exit code."""
    _open_streams()
    sys.exit(run(sys.argv[1:] if arguments is None else arguments, last=True))


def _open_streams() -> None:
    """Who has closed one wants to see nothing of it; nothing ends because a terminal knows few letters."""
    nowhere = Path(os.devnull)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, nowhere.open(mode, encoding="utf-8"))
        stream = getattr(sys, name)
        if mode == "w" and isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def run(arguments: Sequence[str], plugins: Plugins | None = None, *, last: bool = False) -> int:
    """Run one command and return its exit code; everything that it started has been stopped by then.

    Args:
        arguments: Those after ``bakeoff``.
        plugins: Where commands come from; what is installed if ``None``.
        last: The process ends with this command.
    """
    interrupts = Interrupts(last=last)
    try:
        with interrupts:
            code = _run(arguments, plugins or Plugins())
    except typer.Abort:
        if interrupts.happened:
            return interrupts.exit_code
        complain("it asks questions, and standard input has no answers; run it in a terminal")
        return USAGE
    except KeyboardInterrupt:
        return interrupts.exit_code
    # typer answers a Ctrl-C with a number of its own; which signal it was, only we know.
    return interrupts.exit_code if interrupts.happened else code


def _run(arguments: Sequence[str], plugins: Plugins) -> int:
    for argument in arguments:
        if any("\ud800" <= letter <= "\udfff" for letter in argument):
            complain(f"{argument!a} is no valid UTF-8; rename it")
            return USAGE
    try:
        app = build_app()
        for problem in plugins.register_commands(app):
            warn(f"{problem}; its commands are missing")
        command = typer.main.get_command(app)
        return int(
            command.main(args=list(arguments) or ["--help"], prog_name="bakeoff", standalone_mode=False) or 0
        )
    except typer.Abort:
        raise
    except _BadArguments as error:
        return _bad_arguments(error)
    except UsageError as error:
        complain(_one_line(error))
        return USAGE
    except ServerStartError as error:
        complain(str(error))  # with the last lines of its log
        return USAGE  # nothing was judged: this machine or its settings must change first
    except BakeoffError as error:
        complain(_one_line(error))
        return FAILED
    except Exception as error:
        if (place := of_a_path(error)) is not None:
            complain(_one_line(place))
            return USAGE
        told = of_the_machine(error)
        if told is None:  # ours to repair: show where it happened
            traceback.print_exc()
        else:
            complain(_one_line(told))
        return FAILED


def _one_line(error: object) -> str:
    return " ".join(str(error).split())


def _bad_arguments(error: Exception) -> int:
    """One line instead of click's three."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "bakeoff"
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    complain(f"{' '.join(message.split()).rstrip('.')}; see {path} --help")
    return USAGE
