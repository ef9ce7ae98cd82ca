"""Waiting with a deadline, and what a process with its descendants holds."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import psutil

from bakeoff.processes import port_is_free

#: Which of its processes pytest-xdist runs a test in; inherited by everything that the test starts.
_TEST_PROCESS = "PYTEST_XDIST_WORKER"


def until(condition: Callable[[], bool], message: str, within_s: float = 15.0) -> None:
    """Poll until ``condition`` is true; fail with ``message`` at the deadline."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s:.0f} s: {message}")
        time.sleep(0.05)


def gone(pid: int) -> bool:
    """Whether no living process has this number."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _connections(process: psutil.Process) -> list[psutil._ntuples.pconn]:
    """The network connections of a process; none of one that has ended while we looked around."""
    try:
        return process.net_connections("inet")
    except psutil.NoSuchProcess:
        return []


def _taken_by_a_test_beside(port: int) -> bool:
    """Whether another process of pytest-xdist has its servers there: Temporal's UI wants one fixed port."""
    mine = os.environ.get(_TEST_PROCESS)
    for process in psutil.process_iter():
        try:
            if any(
                one.status == psutil.CONN_LISTEN and one.laddr.port == port for one in _connections(process)
            ):
                return process.environ().get(_TEST_PROCESS, mine) != mine
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return False


class Traces:
    """The processes and listening ports that a process held at one moment; of this process: its children."""

    def __init__(self, pid: int) -> None:
        root = psutil.Process(pid)
        self.processes = [*([] if pid == os.getpid() else [root]), *root.children(recursive=True)]
        # Workers and servers open sessions of their own, and some of those fork away from their parents.
        sessions = {process.pid for process in self.processes}
        for process in psutil.process_iter():
            try:
                if os.getsid(process.pid) in sessions and process not in self.processes:
                    self.processes.append(process)
            except (ProcessLookupError, PermissionError):
                continue
        listening = [
            connection.laddr
            for process in self.processes
            for connection in _connections(process)
            if connection.status == psutil.CONN_LISTEN
        ]
        self.ports = sorted({address.port for address in listening})
        self.addresses = {address.ip for address in listening}

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
        """Ports that are still listened on, unless by a test that runs beside this one."""
        held = [port for port in self.ports if not port_is_free(port)]
        # A test beside may have given it back between the two looks.
        return [port for port in held if not _taken_by_a_test_beside(port) and not port_is_free(port)]
