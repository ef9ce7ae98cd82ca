"""One child process with everything that it started: its session."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

#: Lines of a log that an error message repeats.
_TAIL_LINES = 15


@dataclass(slots=True)
class Child:
    """A process that we started as the leader of its own session.

    Attributes:
        name: For messages.
        popen: The process.
        log: File that takes its standard output and error.
        companions: Processes that were started to run beside it.
    """

    name: str
    popen: subprocess.Popen[bytes]
    log: Path
    companions: tuple[Child, ...] = ()

    @property
    def pid(self) -> int:
        """Process id; at the same time the id of the session."""
        return self.popen.pid

    @property
    def alive(self) -> bool:
        """Whether the leader still runs."""
        return self.popen.poll() is None

    def members(self) -> tuple[int, ...]:
        """Process ids of everything in its session that runs now."""
        return tuple(process.pid for process in session_members(self.pid))

    def log_tail(self) -> str:
        """The last lines of its log, for an error message."""
        try:
            lines = self.log.read_text(errors="replace").splitlines()
        except OSError:
            return ""
        return "\n".join(lines[-_TAIL_LINES:])

    def stop(self, patience_s: float) -> None:
        """SIGTERM to the leader, SIGKILL to whatever of the session is left after ``patience_s``."""
        stop_session(self.popen, patience_s)


def session_members(leader: int) -> Iterator[psutil.Process]:
    """Every living process of the session that ``leader`` opened, the leader included."""
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == leader and process.status() != psutil.STATUS_ZOMBIE:
                yield process
        except (ProcessLookupError, PermissionError, psutil.NoSuchProcess):
            continue


def is_gone(pid: int) -> bool:
    """Whether no living process has this number; one that only waits to be reaped is gone."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def kill_session(leader: int, patience_s: float = 5.0) -> None:
    """SIGKILL every process of a session until none is left or patience ends."""
    deadline = time.monotonic() + patience_s
    while members := list(session_members(leader)):
        # The leader first: where a whole machine goes away, nobody is left to react to the death of a child.
        for process in sorted(members, key=lambda one: one.pid != leader):
            try:
                process.send_signal(signal.SIGKILL)
            except psutil.NoSuchProcess:
                continue
        if time.monotonic() > deadline:
            return
        time.sleep(0.01)  # psutil's wait would take the exit code away from Popen


def stop_session(popen: subprocess.Popen[bytes], patience_s: float) -> None:
    """SIGTERM to the leader; after ``patience_s`` SIGKILL to whatever is left of its session.

    A session that is paused goes on, because a stopped process obeys nothing but SIGKILL.
    """
    if popen.poll() is None:
        popen.terminate()
        _resume(popen.pid)
        with contextlib.suppress(subprocess.TimeoutExpired):
            popen.wait(patience_s)
    kill_session(popen.pid)
    popen.wait()


def _resume(leader: int) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        if psutil.Process(leader).status() != psutil.STATUS_STOPPED:
            return
    for process in session_members(leader):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGCONT)
