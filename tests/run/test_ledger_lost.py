"""The services' database goes away, or is locked, in the middle of a run."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import time
from pathlib import Path

import psutil
import pytest

from bakeoff.cli.failures import of_the_machine
from tests.cli.terminal import Terminal
from tests.processes.traces import Traces, until

pytestmark = [pytest.mark.service, pytest.mark.slow]

RUN = ["run", "--only", "sagas", "--engine", "inline", "--count", "1700"]


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path)


def test_a_killed_postgresql_ends_the_run_in_one_line(terminal: Terminal) -> None:
    line = [*RUN, "--ledger", "postgres", "--rounds", "50", "--out", "kept"]
    with terminal.open(line) as command:
        command.wait_for("round 2 of 50")
        traces = Traces(command.popen.pid)
        _kill(command.popen.pid, "postgres")
        assert command.popen.wait(60) == 1

    assert "Traceback" not in command.text
    assert "error: the services' database does not work any more" in command.text
    until(lambda: traces.alive() == [], "nothing of it runs", 10)
    assert terminal.leftovers() == []
    checked = terminal.run(["check", "kept"])
    assert checked.returncode in (1, 2), "it can be looked at, and passes for nothing"
    assert "Traceback" not in checked.stderr


def test_a_ledger_that_somebody_locks_for_a_while_is_waited_for(terminal: Terminal) -> None:
    line = [*RUN, "--count", "150", "--rounds", "1", "--out", "kept"]
    ledger = terminal.folder / "kept" / "inline" / "world.db"
    with terminal.open(line) as command:
        until(lambda: ledger.exists() and _records(ledger) > 50, "it is written into", 30)
        locker = sqlite3.connect(ledger, timeout=10)
        locker.execute("BEGIN IMMEDIATE")
        time.sleep(0.7)  # longer than any transaction, shorter than the steps' timeouts
        locker.rollback()
        locker.close()
        assert command.popen.wait(60) == 0, command.text
    assert "verdict: valid" in command.text


def _records(ledger: Path) -> int:
    with sqlite3.connect(f"file:{ledger}?mode=ro", uri=True) as reader:
        try:
            found: int = reader.execute("SELECT count(*) FROM ledger").fetchone()[0]
        except sqlite3.OperationalError:
            return 0
    return found


def _kill(harness: int, name: str) -> None:
    for process in psutil.Process(harness).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):  # it ends with its parent
            if process.name().startswith(name):
                os.kill(process.pid, signal.SIGKILL)


def test_a_full_disk_among_other_failures_is_not_the_whole_story() -> None:
    full = OSError(28, "No space left on device")

    assert "No space left on device" in (of_the_machine(full) or "")
    assert of_the_machine(ExceptionGroup("two", [full, full])) is not None
    assert of_the_machine(ExceptionGroup("two", [full, KeyError("ours")])) is None
    assert of_the_machine(OSError(2, "No such file or directory")) is None
