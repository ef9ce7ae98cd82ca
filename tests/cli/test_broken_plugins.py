"""A plug-in that cannot be imported: the others still work, and a warning says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from bakeoff.cli.main import run
from bakeoff.cli.options import choose_engines
from bakeoff.plugins import Plugins


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed distribution whose engine and command plug-ins are broken in several ways."""
    site = tmp_path / "site"
    (site / "broken-1.0.dist-info").mkdir(parents=True)
    (site / "broken-1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n"
    )
    (site / "broken-1.0.dist-info" / "entry_points.txt").write_text(
        "[bakeoff.engines]\nabsent = no_such_module\nraising = broken_raising\n"
        "[bakeoff.commands]\nabsent = no_such_module\nraising = broken_command\n"
    )
    (site / "broken_raising.py").write_text("raise RuntimeError('not today')\n")
    (site / "broken_command.py").write_text(
        "from bakeoff import hookimpl\n"
        "@hookimpl\n"
        "def bakeoff_register_commands(cli): raise RuntimeError('no command today')\n"
    )
    monkeypatch.syspath_prepend(str(site))


@pytest.mark.usefixtures("broken")
def test_the_others_still_work_and_a_warning_says_so(capfd: pytest.CaptureFixture[str]) -> None:
    names = [chosen.name for chosen in choose_engines(None)]

    assert "inline" in names
    assert "absent" not in names
    warnings = capfd.readouterr().err
    assert "warning: left out: engine 'absent' cannot be loaded: ModuleNotFoundError" in warnings
    assert "warning: left out: engine 'raising' cannot be loaded: RuntimeError: not today" in warnings


@pytest.mark.usefixtures("broken")
def test_engines_shows_what_is_wrong_with_them(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["engines"]) == 0

    printed = capfd.readouterr()
    assert "RuntimeError: not today" in " ".join(printed.out.split())
    assert "temporalio" in printed.out
    assert "warning: command plug-in 'absent' cannot be loaded" in printed.err
    assert (
        "warning: command plug-in 'raising' cannot be loaded: RuntimeError: no command today" in printed.err
    )


@pytest.mark.usefixtures("broken")
def test_asked_for_by_name_it_is_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["up", "--engine", "raising"]) == 2
    assert "error: engine 'raising' cannot be loaded: RuntimeError: not today" in capfd.readouterr().err


@pytest.mark.usefixtures("broken")
def test_commands_of_other_plugins_are_there() -> None:
    import typer

    app = typer.Typer()
    problems = Plugins().register_commands(app)

    assert len([problem for problem in problems if "no_such_module" in problem]) == 1
    assert len([problem for problem in problems if "no command today" in problem]) == 1
