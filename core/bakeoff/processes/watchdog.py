"""A process that outlives the harness by a moment, to clean up after it.

The harness holds the other end of our standard input and tells what it started. When the pipe closes,
for whatever reason (SIGKILL included), every session told is killed and every folder told is removed.
Works without Linux's PR_SET_PDEATHSIG and reaches grandchildren, which that does not.

Run as ``python -m bakeoff.processes.watchdog``.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import sys
from pathlib import Path

#: Those of this process that have not been closed.
_open: dict[Watchdog, None] = {}


def kill_everything() -> None:
    """SIGKILL every session that any watchdog of this process was told, without closing them; any thread."""
    from bakeoff.processes.child import kill_session

    for watchdog in list(_open):
        for leader in list(watchdog._sessions):
            kill_session(leader)


class Watchdog:
    """The harness's end of the pipe."""

    def __init__(self) -> None:
        _open[self] = None
        self._sessions: dict[int, None] = {}
        self._folders: dict[Path, None] = {}
        self._popen = self._spawn()

    @property
    def pid(self) -> int:
        """Process id of the watchdog."""
        return self._popen.pid

    def watch(self, leader: int) -> None:
        """Kill this session if the harness dies."""
        self._sessions[leader] = None
        self._tell(f"watch {leader}")

    def forget(self, leader: int) -> None:
        """The session ended; its number may be used by a stranger soon."""
        self._sessions.pop(leader, None)
        self._tell(f"forget {leader}")

    def remove(self, folder: Path) -> None:
        """Remove this folder if the harness dies."""
        self._folders[folder] = None
        self._tell(f"remove {folder}")

    def keep(self, folder: Path) -> None:
        """Do not remove this folder any more."""
        self._folders.pop(folder, None)
        self._tell(f"keep {folder}")

    def close(self) -> None:
        """End it; what is still told is cleaned up now."""
        if self._popen.stdin:
            with contextlib.suppress(BrokenPipeError):
                self._popen.stdin.close()
        self._popen.wait()
        _open.pop(self, None)

    @staticmethod
    def _spawn() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            # -P: a signal.py in the user's folder is not the standard library's
            [sys.executable, "-P", "-m", "bakeoff.processes.watchdog"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # a Ctrl-C in the terminal is not for it
        )

    def _tell(self, line: str) -> None:
        try:
            self._write(line)
        except BrokenPipeError:  # somebody killed it; the next one must know everything
            self.close()
            self._popen = self._spawn()
            _open[self] = None
            for leader in self._sessions:
                self._write(f"watch {leader}")
            for folder in self._folders:
                self._write(f"remove {folder}")

    def _write(self, line: str) -> None:
        assert self._popen.stdin is not None
        self._popen.stdin.write(f"{line}\n".encode())
        self._popen.stdin.flush()


def main() -> None:
    """Read lines until the pipe closes, then clean up."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    sessions: dict[int, None] = {}
    folders: dict[str, None] = {}
    for line in sys.stdin:
        verb, _, what = line.rstrip("\n").partition(" ")
        if verb == "watch":
            sessions[int(what)] = None
        elif verb == "forget":
            sessions.pop(int(what), None)
        elif verb == "remove":
            folders[what] = None
        elif verb == "keep":
            folders.pop(what, None)
    if sessions:
        from bakeoff.processes.child import kill_session

        for leader in sessions:
            kill_session(leader)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
