"""A process that is paused obeys nobody but SIGKILL and SIGCONT: it must not outlive the harness either."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from bakeoff.processes import (
    Launch,
    Launcher,
    is_gone,
    is_stopped,
    pause_session,
    resume_session,
    session_members,
)
from tests.cli.terminal import Terminal
from tests.processes.scripts import PARENT, SLEEPER, number_in, python
from tests.processes.traces import Traces, until

#: A harness that starts a process with a child, pauses both and waits for its own end.
_HARNESS = """
import sys, time
from pathlib import Path
from bakeoff.processes import Launch, Launcher, pause_session
with Launcher(Path(sys.argv[1])) as launcher:
    child = launcher.start("paused", Launch(argv=sys.argv[3:]))
    while len(child.members()) < 2:
        time.sleep(0.02)
    Path(sys.argv[2]).write_text(" ".join(map(str, pause_session(child.pid))))
    time.sleep(600)
"""


def family(launcher: Launcher, folder: Path) -> int:
    """Start a process with a child; return its id when both are there."""
    parent, child = folder / "parent", folder / "child"
    started = launcher.start("family", Launch(argv=python(PARENT, parent, child), stop_within_s=20))
    until(lambda: bool(number_in(parent) and number_in(child)), "parent and child are there")
    return started.pid


def test_a_session_is_paused_whole_and_goes_on_whole(tmp_path: Path) -> None:
    with Launcher(tmp_path / "logs") as launcher:
        leader = family(launcher, tmp_path)
        paused = pause_session(leader)

        assert len(paused) == 2
        assert all(map(is_stopped, paused))
        resume_session(leader)
        assert not any(map(is_stopped, paused))
        assert len(list(session_members(leader))) == 2


def test_a_paused_process_is_stopped_without_waiting_for_its_patience(tmp_path: Path) -> None:
    with Launcher(tmp_path / "logs") as launcher:
        paused = pause_session(family(launcher, tmp_path))
        began_s = time.monotonic()

    assert all(map(is_gone, paused))
    assert time.monotonic() - began_s < 10, "its patience would have been 20 s"


def test_nothing_is_paused_that_has_ended(tmp_path: Path) -> None:
    with Launcher(tmp_path / "logs") as launcher:
        started = launcher.start("short", Launch(argv=python(SLEEPER, tmp_path / "number")))
        started.popen.kill()
        started.popen.wait()

        assert pause_session(started.pid) == ()
        resume_session(started.pid)


def test_the_watchdog_kills_what_a_killed_harness_had_paused(tmp_path: Path) -> None:
    numbers = tmp_path / "numbers"
    argv = python(PARENT, tmp_path / "parent", tmp_path / "child")
    harness = subprocess.Popen([sys.executable, "-c", _HARNESS, str(tmp_path / "logs"), str(numbers), *argv])
    try:
        until(lambda: numbers.exists() and bool(numbers.read_text()), "both are paused")
        paused = [int(number) for number in numbers.read_text().split()]
        assert len(paused) == 2
        assert all(map(is_stopped, paused))
    finally:
        harness.kill()
        harness.wait()

    until(lambda: all(map(is_gone, paused)), "the watchdog has killed both")


@pytest.mark.service
@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_crash_run_that_ends_in_the_middle_of_a_pause_leaves_nothing(tmp_path: Path, number: int) -> None:
    terminal = Terminal(tmp_path)
    line = [
        "crash",
        "--engine",
        "dramatiq",
        "--broker",
        "valkey",
        "--config",
        "ci",
        "--fault",
        "server-pause",
    ]
    with terminal.open([*line, "--point", "charge_payment.after_effect"]) as crash:
        until(lambda: _paused(crash.popen.pid) or crash.popen.poll() is not None, "it is paused", 60)
        assert _paused(crash.popen.pid), crash.text
        held = Traces(crash.popen.pid)
        os.killpg(crash.popen.pid, number)
        assert crash.popen.wait(60) == (130 if number == signal.SIGINT else -number)

    until(lambda: held.alive() == [], "nothing is left")
    assert held.held_ports() == []


def _paused(harness: int) -> bool:
    """Whether one of its servers is paused."""
    try:
        children = psutil.Process(harness).children(recursive=True)
    except psutil.NoSuchProcess:
        return False
    return any("valkey" in child.name() and is_stopped(child.pid) for child in children if _named(child))


def _named(process: psutil.Process) -> bool:
    try:
        return bool(process.name())
    except psutil.NoSuchProcess:
        return False
