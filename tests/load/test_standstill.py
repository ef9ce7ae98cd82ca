"""Whoever has no turn stands still, and ends in order all the same."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from bakeoff_bench.load import standstill
from bakeoff_bench.load.standstill import Standstill
from bakeoff_bench.meter.roles import Role

_WITHIN_S = 10.0


@pytest.fixture
def busy() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        yield process
        process.kill()


def _until(true: Callable[[], bool]) -> bool:
    deadline_s = time.monotonic() + _WITHIN_S
    while not true() and time.monotonic() < deadline_s:
        time.sleep(0.02)
    return true()


def test_it_uses_nothing_and_then_goes_on(
    busy: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standstill, "processes_of", lambda backend: {busy.pid: Role.WORKERS})
    process, still = psutil.Process(busy.pid), Standstill()
    backend: Any = SimpleNamespace()
    still.stop("a", backend)
    still.stop("a", backend)

    assert _until(lambda: process.status() == psutil.STATUS_STOPPED)
    before_s = process.cpu_times().user
    time.sleep(0.2)  # in which it would have used a fifth of a second
    assert process.cpu_times().user == before_s

    still.all_go_on()
    assert _until(lambda: process.status() != psutil.STATUS_STOPPED)
    busy.terminate()
    assert busy.wait(_WITHIN_S) is not None


def test_who_was_killed_meanwhile_is_in_nobodys_way(
    busy: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standstill, "processes_of", lambda backend: {busy.pid: Role.SERVERS})
    still = Standstill()
    still.stop("a", SimpleNamespace())  # type: ignore[arg-type]
    busy.kill()
    busy.wait(_WITHIN_S)

    still.go_on("a")
    still.go_on("never stopped")
