"""``bakeoff run``: after success, Ctrl-C and a crash of its own nothing is left; after SIGKILL no process."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.cli.terminal import Terminal
from tests.processes.traces import Traces, until

pytestmark = [pytest.mark.service, pytest.mark.slow]

TakeTraces = Callable[[int], Traces]
#: So many short rounds that both engines work soon, and for long.
RUN = [
    "run",
    "--only",
    "sagas",
    "--engine",
    "celery",
    "--engine",
    "dramatiq",
    "--count",
    "1000",
    "--rounds",
    "100",
]


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path)


def _both_work(pid: int) -> bool:
    """Whether there are workers of both engines by now; servers were started before them."""
    lines = [" ".join(process.cmdline()) for process in psutil.Process(pid).children(recursive=True)]
    return all(any(module in line for line in lines) for module in ("bakeoff_celery", "bakeoff_dramatiq"))


def test_success_leaves_nothing_but_the_folder_asked_for(terminal: Terminal) -> None:
    done = terminal.run(
        ["run", "--only", "sagas", "--engine", "celery", "--count", "20", "--rounds", "1", "--out", "kept"]
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert terminal.leftovers() == []
    assert [path.name for path in terminal.folder.iterdir()] == ["kept"]


def test_a_terminated_run_leaves_nothing(terminal: Terminal, traces: TakeTraces) -> None:
    """After Ctrl-C: ``tests/run/test_interrupted.py``."""
    with terminal.open(RUN) as run:
        until(lambda: _both_work(run.popen.pid), "both engines work", 60)
        held = traces(run.popen.pid)

        assert run.interrupt(signal.SIGTERM) == 128 + signal.SIGTERM
        assert "Traceback" not in run.text

    assert held.alive() == []
    assert held.held_ports() == []
    assert terminal.leftovers() == []


def test_a_killed_run_leaves_no_process_and_no_port(terminal: Terminal, traces: TakeTraces) -> None:
    with terminal.open(RUN) as run:
        until(lambda: _both_work(run.popen.pid), "both engines work", 60)
        held = traces(run.popen.pid)
        run.popen.kill()
        run.popen.wait()

    until(lambda: held.alive() == [], "the watchdogs have killed everything")
    assert held.held_ports() == []
    assert terminal.leftovers() != []

    assert terminal.run(["run", "--only", "sagas", "--engine", "inline", "--count", "2"]).returncode == 0
    assert terminal.leftovers() == []
