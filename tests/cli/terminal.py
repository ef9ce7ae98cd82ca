"""A user at a terminal: a folder, a shell's environment, commands in fore- and background."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from bakeoff.cli.main import run
from tests.processes.traces import until

#: Seconds that any command of these tests may take before it counts as hanging.
PATIENCE_S = 90


@dataclass
class Background:
    """A command that runs in a process group of its own, as a terminal's foreground command does."""

    popen: subprocess.Popen[bytes]
    log: Path

    @property
    def text(self) -> str:
        """What it has printed so far, errors included."""
        return self.log.read_text()

    def wait_for(self, text: str, within_s: float = 60) -> None:
        """Until it has printed ``text``."""

        def printed() -> bool:
            assert text in self.text or self.popen.poll() is None, f"it ended:\n{self.text}"
            return text in self.text

        until(printed, f"{text!r} in {self.text!r}", within_s)

    def interrupt(self, number: int = signal.SIGINT) -> int:
        """Ctrl-C (or another signal) to the whole group; return the exit code."""
        os.killpg(self.popen.pid, number)
        return self.popen.wait(PATIENCE_S)


class Terminal:
    """Runs ``bakeoff`` in ``folder``; its temporary files go where a test can count them."""

    def __init__(self, folder: Path, environ: Mapping[str, str] | None = None) -> None:
        self.folder = folder / "home"
        self.temporary = folder / "tmp"
        for made in (self.folder, self.temporary):
            made.mkdir(exist_ok=True)
        programs = str(Path(sys.executable).parent)
        self.environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith("BAKEOFF_")},
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "TMPDIR": str(self.temporary),
            "COLUMNS": "200",
            **(environ or {}),
        }
        self._opened = 0

    def run(self, line: str | list[str], within_s: float = PATIENCE_S) -> subprocess.CompletedProcess[str]:
        """Run a command line to its end; a string is given to the shell as it stands."""
        return subprocess.run(
            line if isinstance(line, str) else [sys.executable, "-m", "bakeoff", *line],
            shell=isinstance(line, str),
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=within_s,
        )

    def run_here(self, arguments: list[str]) -> subprocess.CompletedProcess[str]:
        """The same command in this process, without the second that a Python and its imports take to start.

        For commands that ask a running deployment something; what must be seen from outside (signals, file
        descriptors, an interpreter's end) needs ``run``.
        """
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.chdir(self.folder)
            patch.setattr("tempfile.tempdir", str(self.temporary))
            for name in os.environ.keys() - self.environ.keys():
                patch.delenv(name)
            for name, value in self.environ.items():
                patch.setenv(name, value)
            code = run(arguments)
        return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())

    @contextmanager
    def open(self, line: str | list[str]) -> Iterator[Background]:
        """Run a command in the background while the context lasts; then it gets Ctrl-C."""
        self._opened += 1
        log = self.folder.parent / f"output-{self._opened}.txt"
        with log.open("wb") as output:
            popen = subprocess.Popen(
                f"exec {line}" if isinstance(line, str) else [sys.executable, "-m", "bakeoff", *line],
                shell=isinstance(line, str),
                cwd=self.folder,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                process_group=0,
            )
        background = Background(popen, log)
        try:
            yield background
        finally:
            if popen.poll() is None:
                try:
                    background.interrupt()
                except subprocess.TimeoutExpired:
                    for process in psutil.Process(popen.pid).children(recursive=True):
                        process.kill()
                    popen.kill()
                    popen.wait()
                    raise

    def leftovers(self) -> list[str]:
        """Files in the folder for temporary files, and the state folder, if they are still there."""
        left = [str(path.relative_to(self.temporary)) for path in self.temporary.iterdir()]
        return left + [str(path) for path in [self.folder / ".bakeoff"] if path.exists()]
