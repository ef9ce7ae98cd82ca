"""A run that is broken off leaves nothing but the folder that it was told to keep."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal
from tests.processes.traces import Traces, until

pytestmark = [pytest.mark.service, pytest.mark.slow]

_RUN = ["run", "--engine", "dramatiq", "--count", "1500", "--concurrency", "4"]


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_run_leaves_nothing_but_its_folder(terminal: Terminal, number: signal.Signals) -> None:
    with terminal.open([*_RUN, "--out", "kept"]) as command:
        command.wait_for("round 1 of 4")
        traces = Traces(command.popen.pid)
        code = command.interrupt(number)
        said = command.text
    again = terminal.run(["check", "kept"])

    assert code == 128 + number
    assert "stopping servers and workers ..." in said
    assert "broken off; judge what was done: bakeoff check kept" in said
    assert not traces.alive()
    assert not traces.held_ports()
    assert not terminal.leftovers()
    assert again.returncode == 1
    assert "THIS RUN WAS BROKEN OFF" in again.stdout
    assert not (terminal.folder / "kept" / "dramatiq" / "deployment.json").exists()


def test_killed_run_leaves_no_process_and_the_next_one_sweeps_its_folder(terminal: Terminal) -> None:
    with terminal.open(_RUN) as command:
        command.wait_for("round 1 of 4")
        traces = Traces(command.popen.pid)
        command.interrupt(signal.SIGKILL)
        until(lambda: not traces.alive(), f"{traces.alive()} are still there")
        until(lambda: not traces.held_ports(), "ports are still held")
    terminal.run(["run", "--engine", "inline", "--count", "2"])

    assert not terminal.leftovers()
