"""Waiting with a deadline, and looking at what a process and its descendants hold."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from bakeoff.processes import Launcher, port_is_free


class Patience:
    """``until(condition)`` polls until it is true, and fails with ``message`` at the deadline."""

    def until(self, condition: Callable[[], bool], message: str, within_s: float = 15.0) -> None:
        deadline = time.monotonic() + within_s
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {within_s:.0f} s: {message}")
            time.sleep(0.05)


class Traces:
    """The processes and listening ports that a process held at one moment."""

    def __init__(self, pid: int) -> None:
        root = psutil.Process(pid)
        self.processes = [root, *root.children(recursive=True)]
        # Workers and servers open sessions of their own, and some of those fork away from their parents.
        sessions = {process.pid for process in self.processes}
        for process in psutil.process_iter():
            try:
                if os.getsid(process.pid) in sessions and process not in self.processes:
                    self.processes.append(process)
            except (ProcessLookupError, PermissionError):
                continue
        self.ports = sorted(
            {
                connection.laddr.port
                for process in self.processes
                for connection in process.net_connections("inet")
                if connection.status == psutil.CONN_LISTEN
            }
        )

    def alive(self) -> list[str]:
        """What still runs, as ``"pid command"``."""
        found = []
        for process in self.processes:
            try:
                if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(f"{process.pid} {' '.join(process.cmdline())[:120]}")
            except psutil.NoSuchProcess:
                continue
        return found

    def held_ports(self) -> list[int]:
        """Ports that are still listened on."""
        return [port for port in self.ports if not port_is_free(port)]


@pytest.fixture
def patience() -> Patience:
    return Patience()


@pytest.fixture
def traces() -> Iterator[Callable[[int], Traces]]:
    """Take the traces of a process; whatever of them is left at the end of the test is killed."""
    taken: list[Traces] = []

    def take(pid: int) -> Traces:
        taken.append(Traces(pid))
        return taken[-1]

    yield take
    for one in taken:
        for process in one.processes:
            if process.is_running():
                try:
                    process.send_signal(signal.SIGKILL)
                except psutil.NoSuchProcess:
                    continue


@pytest.fixture
def launcher(tmp_path: Path) -> Iterator[Launcher]:
    with Launcher(tmp_path / "logs") as launcher:
        yield launcher


def gone(pid: int) -> bool:
    """Whether no living process has this number."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.fixture(name="gone")
def gone_fixture() -> Callable[[int], bool]:
    return gone
