"""SIGSTOP and SIGCONT of everything in a session, each seen to have happened.

Both block for milliseconds, on purpose: what is paused in an event loop must not be left so by a cancellation
that comes in between.
"""

from __future__ import annotations

import signal
import time

import psutil

from bakeoff.processes.child import session_members

_POLL_S = 0.005
#: Seconds in which SIGSTOP stops what can be stopped.
_STOPS_WITHIN_S = 0.3


def is_stopped(pid: int) -> bool:
    """Whether this process lives and is stopped."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_STOPPED
    except psutil.NoSuchProcess:
        return False


def pause_session(leader: int, patience_s: float = 5.0) -> tuple[int, ...]:
    """SIGSTOP every process of a session; return the process ids that were seen to be stopped.

    Raises:
        TimeoutError: If one still runs after ``patience_s``; all of them go on then.
    """
    deadline = time.monotonic() + patience_s
    while True:
        members, running = _stop_all(leader)
        if not running:
            return tuple(process.pid for process in members)
        # One that waits in vfork for a child that was stopped before its exec would never stop itself.
        resume_session(leader)
        if time.monotonic() > deadline:
            raise TimeoutError(f"processes {[one.pid for one in running]} did not stop at SIGSTOP")
        time.sleep(_POLL_S)


def _stop_all(leader: int) -> tuple[list[psutil.Process], list[psutil.Process]]:
    """SIGSTOP; return all members and, if some did not stop, those."""
    deadline = time.monotonic() + _STOPS_WITHIN_S
    while True:
        # Once more from the start: one that was not stopped yet may have started another.
        members = list(session_members(leader))
        running = [process for process in members if not is_stopped(process.pid)]
        if not running or time.monotonic() > deadline:
            return members, running
        _send(running, signal.SIGSTOP)
        time.sleep(_POLL_S)


def resume_session(leader: int, patience_s: float = 5.0) -> None:
    """SIGCONT every stopped process of a session, until none is stopped or patience ends."""
    deadline = time.monotonic() + patience_s
    while stopped := [process for process in session_members(leader) if is_stopped(process.pid)]:
        _send(stopped, signal.SIGCONT)
        if time.monotonic() > deadline:
            return
        time.sleep(_POLL_S)


def _send(processes: list[psutil.Process], number: int) -> None:
    for process in processes:
        try:
            process.send_signal(number)
        except psutil.NoSuchProcess:
            continue
