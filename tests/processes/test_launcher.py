"""Processes live in the launcher's context, and nothing of them lives longer."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from bakeoff.errors import ServerStartError
from bakeoff.processes import Launch, Launcher
from tests.processes.scripts import DEAF, PARENT, SLEEPER, number_in, python
from tests.processes.traces import gone, until


def test_output_goes_into_the_log_and_the_environment_is_passed(launcher: Launcher) -> None:
    script = "import os, sys; print(os.environ['GREETING'], flush=True); print('oops', file=sys.stderr)"
    child = launcher.start("greeter", Launch(argv=python(script), env={"GREETING": "hello"}))

    until(lambda: not child.alive, "the greeter ends")
    assert child.log_tail().splitlines() == ["hello", "oops"]
    assert child.log.name == "greeter.log"


def test_log_tail_is_the_end_of_a_long_log(launcher: Launcher) -> None:
    child = launcher.start("talker", Launch(argv=python("for n in range(1000): print(n)")))

    until(lambda: not child.alive, "the talker ends")
    assert child.log_tail().splitlines() == [str(n) for n in range(985, 1000)]


def test_leaving_the_context_stops_everything_even_after_an_error(tmp_path: Path) -> None:
    pids: list[int] = []

    def harness() -> None:
        with Launcher(tmp_path / "logs") as launcher:
            for number in range(3):
                launch = Launch(argv=python(SLEEPER, tmp_path / "pid"))
                pids.append(launcher.start(f"p{number}", launch).pid)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        harness()

    assert len(pids) == 3
    assert all(gone(pid) for pid in pids)


def test_stopping_a_process_takes_its_children_along(tmp_path: Path, launcher: Launcher) -> None:
    own, grandchild = tmp_path / "own", tmp_path / "grandchild"
    child = launcher.start("parent", Launch(argv=python(PARENT, own, grandchild)))
    until(lambda: number_in(own) > 0 and number_in(grandchild) > 0, "both have started")

    launcher.stop(child)

    assert gone(child.pid)
    assert gone(number_in(grandchild))


def test_a_process_that_ignores_sigterm_is_killed_after_its_patience(
    tmp_path: Path, launcher: Launcher
) -> None:
    child = launcher.start("deaf", Launch(argv=python(DEAF, tmp_path / "pid"), stop_within_s=0.3))
    until(lambda: number_in(tmp_path / "pid") > 0, "it has started")

    started = time.monotonic()
    launcher.stop(child)

    assert gone(child.pid)
    assert child.popen.returncode == -9
    assert time.monotonic() - started >= 0.3


def test_companions_are_started_first_and_stopped_last(tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    script = (
        "import signal, sys, time\n"
        "name, diary = sys.argv[1:]\n"
        "note = lambda what: print(name, what, file=open(diary, 'a'), flush=True)\n"
        "def end(*_): note('ends'); sys.exit()\n"
        "signal.signal(signal.SIGTERM, end); note('starts'); time.sleep(600)"
    )
    beside = Launch(argv=python(script, "companion", diary))

    def entries() -> list[str]:
        return diary.read_text().splitlines() if diary.exists() else []

    with Launcher(tmp_path / "logs") as launcher:
        launcher.start("companion-alone", beside)
        until(lambda: len(entries()) == 1, "the first starts")
        diary.write_text("")
        launcher.start("main", Launch(argv=python(script, "main", diary), companions=(beside,)))
        until(lambda: len(entries()) == 2, "both have started")

    ends = [line for line in entries() if line.endswith("ends")]
    assert ends == ["main ends", "companion ends", "companion ends"]


def test_a_program_that_does_not_exist_is_named(launcher: Launcher) -> None:
    with pytest.raises(ServerStartError, match=r"ghost: cannot run /no/such/program: .*No such file"):
        launcher.start("ghost", Launch(argv=["/no/such/program"]))


def test_the_watchdog_ends_with_the_launcher(tmp_path: Path) -> None:
    with Launcher(tmp_path / "logs") as launcher:
        launcher.start("short", Launch(argv=[sys.executable, "-c", ""]))
        watchdog = launcher.watchdog.pid

    assert gone(watchdog)


def test_temporary_files_of_a_killed_process_go_with_the_launcher(tmp_path: Path) -> None:
    script = "import sys, tempfile, time; print(tempfile.mkdtemp(), flush=True); time.sleep(600)"
    with Launcher(tmp_path / "logs") as launcher:
        child = launcher.start("careless", Launch(argv=python(script)))
        until(lambda: child.log_tail() != "", "it has its folder")
        folder = Path(child.log_tail())
        assert folder.is_dir()
        launcher.stop(child, patience_s=0)

    assert not folder.exists()
    assert not folder.parent.exists()
