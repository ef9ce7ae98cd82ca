"""Deployments that stand still while another one has its turn, so that nobody is measured beside them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import psutil

from bakeoff.stack import Backend
from bakeoff_bench.meter.roles import Role, processes_of


class Standstill:
    """Stops processes (SIGSTOP), and lets them go on.

    A broker, its workers and a dev server cost a few per cent of a CPU while they have nothing to do; eight
    such deployments beside the one that is measured cost it a tenth of its machine. What runs on other
    machines, or was not started here, goes on.
    """

    def __init__(self) -> None:
        self._stopped: dict[str, list[psutil.Process]] = {}

    def stop(self, label: str, backend: Backend) -> None:
        """All processes of a deployment: workers first, so that no server finds one of them gone."""
        if label in self._stopped:
            return
        roles = processes_of(backend)
        workers_first = sorted(roles, key=lambda pid: roles[pid] is not Role.WORKERS)
        self._stopped[label] = [
            process for pid in workers_first if (process := _signalled(pid, psutil.Process.suspend))
        ]

    def go_on(self, label: str) -> None:
        """Servers first."""
        for process in reversed(self._stopped.pop(label, [])):
            with contextlib.suppress(psutil.Error):  # it was killed while it stood
                process.resume()

    def all_go_on(self) -> None:
        """Whoever has to end in order must be able to."""
        for label in list(self._stopped):
            self.go_on(label)


def _signalled(pid: int, send: Callable[[psutil.Process], None]) -> psutil.Process | None:
    try:
        process = psutil.Process(pid)
        send(process)
    except psutil.Error:  # it has just ended
        return None
    return process
