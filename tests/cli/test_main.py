"""Errors become exit codes and lines; help teaches; versions are told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import pytest
import typer

from bakeoff.cli.app import build_app
from bakeoff.cli.main import run
from bakeoff.errors import BakeoffError, NotSupportedError, ServerStartError, UsageError
from bakeoff.plugins import Plugins

_ERRORS: dict[str, tuple[BaseException, int, str]] = {
    "usage": (UsageError("no\nsuch thing"), 2, "error: no such thing\n"),
    "server": (ServerStartError("it ended:\nline 1\nline 2"), 2, "error: it ended:\nline 1\nline 2\n"),
    "other": (BakeoffError("lost\n it"), 1, "error: lost it\n"),
    "absent": (NotSupportedError("no cancel: because"), 1, "error: no cancel: because\n"),
    "ctrl-c": (KeyboardInterrupt(), 130, ""),
    "exit": (typer.Exit(7), 7, ""),
}


class _Raising(Plugins):
    """One command that raises."""

    def register_commands(self, cli: typer.Typer) -> list[str]:
        def fail(kind: str) -> None:
            raise _ERRORS[kind][0] if kind in _ERRORS else ZeroDivisionError("ours to repair")

        cli.command("fail")(fail)
        return []


@pytest.mark.parametrize("kind", _ERRORS)
def test_what_is_raised_becomes_a_line_and_an_exit_code(kind: str, capfd: pytest.CaptureFixture[str]) -> None:
    _, code, printed = _ERRORS[kind]

    assert run(["fail", kind], _Raising()) == code
    assert capfd.readouterr().err == printed


def test_a_bug_of_ours_shows_where_it_is(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["fail", "bug"], _Raising()) == 1

    printed = capfd.readouterr().err
    assert printed.startswith("Traceback")
    assert "ZeroDivisionError: ours to repair" in printed


def test_brackets_are_not_markup(capfd: pytest.CaptureFixture[str]) -> None:
    """``bakeoff[temporal]`` must arrive as it stands: rich would take it for a style and drop it."""
    _ERRORS["brackets"] = (UsageError('pip install "bakeoff[temporal]" [/red]'), 2, "")
    try:
        assert run(["fail", "brackets"], _Raising()) == 2
    finally:
        del _ERRORS["brackets"]

    assert capfd.readouterr().err == 'error: pip install "bakeoff[temporal]" [/red]\n'


def _commands() -> list[str]:
    """Every command with what leads to it, e.g. ``"bench speed"``."""
    app = build_app()
    assert Plugins().register_commands(app) == []
    return sorted(_leaves(typer.main.get_command(app), ""))


def _leaves(command: Any, path: str) -> Iterator[str]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield path.strip()
    for name, below in (inner or {}).items():
        yield from _leaves(below, f"{path} {name}")


def test_the_commands_of_this_project_are_all_there() -> None:
    assert {
        *("run", "check", "engines", "doctor", "up", "worker", "start"),
        *("result", "signal", "cancel", "list", "history", "describe"),
    } <= set(_commands())


@pytest.mark.parametrize("command", _commands())
def test_help_teaches_with_an_example(command: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run([*command.split(), "--help"]) == 0

    printed = capfd.readouterr().out
    assert printed.startswith(f"Usage: bakeoff {command}")
    assert "Example" in printed
    assert f"      bakeoff {command}" in printed
    lines = [line for line in printed.splitlines() if line.startswith("      bakeoff ")]
    assert all(len(line) < 120 for line in lines)


def test_without_a_command_it_shows_them(capfd: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 0

    printed = capfd.readouterr().out
    assert all(f"  {command.split()[0]} " in printed for command in _commands())


@pytest.mark.parametrize("program", [["-m", "bakeoff"], ["-c", "from bakeoff.cli import main; main()"]])
def test_version_from_outside(program: list[str]) -> None:
    done = subprocess.run([sys.executable, *program, "--version"], capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stdout) == (0, f"bakeoff {version('bakeoff')}\n")


def test_ctrl_c_while_python_still_imports_us_is_no_traceback() -> None:
    """The signal comes when the first slow import begins."""
    script = (
        "import os, signal, sys\n"
        "class Interrupting:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'bakeoff.cli': os.kill(os.getpid(), signal.SIGINT)\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "sys.meta_path.insert(0, Interrupting())\n"
        "from bakeoff.__main__ import main\n"
        "main()"
    )
    done = subprocess.run([sys.executable, "-c", script, "engines"], capture_output=True, timeout=60)

    assert (done.returncode, done.stderr) == (-signal.SIGINT, b"")


def test_a_pipe_that_closes_early_is_no_traceback() -> None:
    line = f'"{sys.executable}" -m bakeoff engines | head -1'
    done = subprocess.run(line, shell=True, capture_output=True, text=True, timeout=60)

    assert "Traceback" not in done.stderr


def test_a_shell_is_told_how_a_command_goes_on() -> None:
    """What bash asks when the user presses Tab."""
    asked = {"_BAKEOFF_COMPLETE": "complete_bash", "COMP_WORDS": "bakeoff sce", "COMP_CWORD": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "bakeoff"],
        env={**os.environ, **asked},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert done.stdout.split() == ["scenarios"]
