"""A launcher for each test, and no process left by a test that failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from bakeoff.processes import Launcher
from tests.processes.traces import Traces


@pytest.fixture
def launcher(tmp_path: Path) -> Iterator[Launcher]:
    with Launcher(tmp_path / "logs") as launcher:
        yield launcher


@pytest.fixture
def traces() -> Iterator[Callable[[int], Traces]]:
    """Take the traces of a process; whatever of them is left at the end of the test is killed."""
    taken: list[Traces] = []

    def take(pid: int) -> Traces:
        taken.append(Traces(pid))
        return taken[-1]

    yield take
    for process in [process for one in taken for process in one.processes]:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
