"""After SIGKILL of the harness nothing that it told the watchdog about is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from bakeoff.processes.watchdog import Watchdog
from tests.processes.conftest import Patience
from tests.processes.scripts import DEAF, PARENT, SLEEPER, number_in, python

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


def test_sigkill_of_the_harness_leaves_no_process(
    tmp_path: Path, patience: Patience, gone: Callable[[int], bool]
) -> None:
    files = [tmp_path / name for name in ("own", "grandchild", "deaf", "watchdog")]
    harness = subprocess.Popen(python(_HARNESS, tmp_path, PARENT, DEAF))
    patience.until(lambda: all(number_in(file) for file in files), "everything has started")

    harness.kill()
    harness.wait()

    for file in files:
        patience.until(lambda file=file: gone(number_in(file)), f"{file.name} is gone")  # type: ignore[misc]


def test_what_is_forgotten_or_kept_is_left_alone(tmp_path: Path, patience: Patience) -> None:
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


def test_signals_of_the_terminal_do_not_end_it() -> None:
    watchdog = Watchdog()
    try:
        assert os.getsid(watchdog.pid) == watchdog.pid
        # It answers by living on: a signal that it heeded would have closed the pipe's other end.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            watchdog.wait_until_ready()
            os.kill(watchdog.pid, number)
        watchdog.forget(0)
        assert watchdog.alive
    finally:
        watchdog.close()
    assert not watchdog.alive


def test_it_needs_nothing_of_the_harness_environment() -> None:
    """It must come up while the harness's folder is unwritable or its PATH is empty."""
    done = subprocess.run(
        [sys.executable, "-m", "bakeoff.processes.watchdog"], input=b"", cwd="/", env={}, timeout=20
    )

    assert done.returncode == 0
