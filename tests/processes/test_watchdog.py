"""After SIGKILL of the harness nothing that it told the watchdog about is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from bakeoff.processes.watchdog import Watchdog
from tests.processes.scripts import DEAF, PARENT, SLEEPER, number_in, python
from tests.processes.traces import gone, until

_HARNESS = """
import sys, time
from pathlib import Path
from bakeoff.processes import Launch, Launcher
folder = Path(sys.argv[1])
launcher = Launcher(folder / "logs")
parent, deaf = sys.argv[2:]
launcher.start("parent", Launch(argv=[sys.executable, "-c", parent, folder / "own", folder / "grandchild"]))
launcher.start("deaf", Launch(argv=[sys.executable, "-c", deaf, folder / "deaf"]))
(folder / "watchdog").write_text(str(launcher.watchdog.pid))
time.sleep(600)
"""


def test_sigkill_of_the_harness_leaves_no_process(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("own", "grandchild", "deaf", "watchdog")]
    harness = subprocess.Popen(python(_HARNESS, tmp_path, PARENT, DEAF))
    until(lambda: all(number_in(file) for file in files), "everything has started")

    harness.kill()
    harness.wait()

    for file in files:
        until(lambda file=file: gone(number_in(file)), f"{file.name} is gone")  # type: ignore[misc]


def test_what_is_forgotten_or_kept_is_left_alone(tmp_path: Path) -> None:
    kept, removed = tmp_path / "kept", tmp_path / "removed"
    kept.mkdir()
    removed.mkdir()
    watched = subprocess.Popen(python(SLEEPER, tmp_path / "a"), start_new_session=True)
    forgotten = subprocess.Popen(python(SLEEPER, tmp_path / "b"), start_new_session=True)
    try:
        watchdog = Watchdog()
        for process in (watched, forgotten):
            watchdog.watch(process.pid)
        for folder in (kept, removed):
            watchdog.remove(folder)
        watchdog.forget(forgotten.pid)
        watchdog.keep(kept)
        watchdog.close()

        assert watched.wait(10) == -signal.SIGKILL
        assert forgotten.poll() is None
        assert kept.exists()
        assert not removed.exists()
    finally:
        for process in (watched, forgotten):
            process.kill()
            process.wait()


def test_it_stands_outside_the_terminal_of_the_harness() -> None:
    watchdog = Watchdog()
    try:
        assert os.getsid(watchdog.pid) == watchdog.pid
    finally:
        watchdog.close()
    assert gone(watchdog.pid)


def test_a_killed_watchdog_is_replaced_and_its_heir_knows_everything(tmp_path: Path) -> None:
    watched = [
        subprocess.Popen(python(SLEEPER, tmp_path / name), start_new_session=True) for name in ("a", "b")
    ]
    try:
        watchdog = Watchdog()
        watchdog.watch(watched[0].pid)
        first = watchdog.pid
        os.kill(first, signal.SIGKILL)
        until(lambda: gone(first), "the watchdog is gone")
        watchdog.watch(watched[1].pid)
        assert watchdog.pid != first
        watchdog.close()

        assert [process.wait(10) for process in watched] == [-signal.SIGKILL] * 2
    finally:
        for process in watched:
            process.kill()
            process.wait()


def test_it_starts_beside_modules_that_are_called_like_the_standard_library(tmp_path: Path) -> None:
    (tmp_path / "signal.py").write_text("raise RuntimeError('not this one')")
    script = (
        "import sys; from bakeoff.processes.watchdog import Watchdog\n"
        "from pathlib import Path\n"
        "w = Watchdog(); w.remove(Path(sys.argv[1])); w.close()"
    )
    (tmp_path / "removed").mkdir()

    done = subprocess.run(
        [sys.executable, "-P", "-c", script, str(tmp_path / "removed")], cwd=tmp_path, timeout=30
    )

    assert done.returncode == 0
    assert not (tmp_path / "removed").exists()
