"""A process that outlives the harness by a moment, to clean up after it.

The harness holds the other end of our standard input and tells what it started. When the pipe closes,
for whatever reason (SIGKILL included), every session told is killed and every folder told is removed.
Works without Linux's PR_SET_PDEATHSIG and reaches grandchildren, which that does not.

Run as ``python -m bakeoff.processes.watchdog``.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path


class Watchdog:
    """The harness's end of the pipe."""

    def __init__(self) -> None:
        self._popen = subprocess.Popen(
            [sys.executable, "-m", "bakeoff.processes.watchdog"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # a Ctrl-C in the terminal is not for it
        )

    def watch(self, leader: int) -> None:
        """Kill this session if the harness dies."""
        self._tell(f"watch {leader}")

    def forget(self, leader: int) -> None:
        """The session ended; its number may be used by a stranger soon."""
        self._tell(f"forget {leader}")

    def remove(self, folder: Path) -> None:
        """Remove this folder if the harness dies."""
        self._tell(f"remove {folder}")

    def keep(self, folder: Path) -> None:
        """Do not remove this folder any more."""
        self._tell(f"keep {folder}")

    def close(self) -> None:
        """End it; what is still told is cleaned up now."""
        if self._popen.stdin:
            self._popen.stdin.close()
        self._popen.wait()

    def _tell(self, line: str) -> None:
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
