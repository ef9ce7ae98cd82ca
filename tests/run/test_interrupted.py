"""A run that is broken off leaves nothing but the folder that it was told to keep.

What other signals leave is told in ``tests/processes/test_a_run_leaves_nothing.py``.
"""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal
from tests.processes.traces import Traces

pytestmark = [pytest.mark.service, pytest.mark.slow]

_RUN = ["run", "--only", "sagas", "--engine", "dramatiq", "--count", "1500", "--concurrency", "4"]


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path)


def test_interrupted_run_leaves_nothing_but_its_folder(terminal: Terminal) -> None:
    with terminal.open([*_RUN, "--out", "kept"]) as command:
        command.wait_for("round 1 of 4")
        traces = Traces(command.popen.pid)
        code = command.interrupt(signal.SIGINT)
        said = command.text
    again = terminal.run(["check", "kept"])

    assert code == 128 + signal.SIGINT
    assert "stopping servers and workers ..." in said
    assert "broken off; judge what was done: bakeoff check kept" in said
    assert not traces.alive()
    assert not traces.held_ports()
    assert not terminal.leftovers()
    assert again.returncode == 1
    assert "THIS RUN WAS BROKEN OFF" in again.stdout
    assert not (terminal.folder / "kept" / "dramatiq" / "deployment.json").exists()
