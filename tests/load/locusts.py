"""Locust as a user types it, for tests: started, waited for, and never left behind."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from bakeoff.processes import free_ports
from tests.processes.traces import until
from tests.steady import TRIES, stood_still

LOCUSTFILE = Path(__file__).parents[2] / "scenarios" / "locustfile.py"
#: Seconds until any Locust of these tests has ended, on a busy machine too.
PATIENCE_S = 150.0
#: Real engines: one that is up in a second, with short leases; one whose steps may take their time.
DRAMATIQ = ("--engine", "dramatiq", "--broker", "valkey", "--config-class", "ci")
TEMPORAL = ("--engine", "temporal")


@dataclass(frozen=True, kw_only=True)
class Locust:
    """One process of Locust, with a working directory and a folder for temporary files of its own.

    Attributes:
        process: It.
        folder: Of everything it writes.
    """

    process: subprocess.Popen[str]
    folder: Path

    @property
    def said(self) -> str:
        """Its output so far."""
        return (self.folder / "said.txt").read_text()

    @property
    def temporary(self) -> Path:
        """Where its temporary files are."""
        return self.folder / "tmp"

    def end(self, within_s: float = PATIENCE_S) -> str:
        """Wait for its end; return its output."""
        try:
            self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            pytest.fail(f"Locust did not end within {within_s:.0f} s: {self.said}")
        return self.said

    def files(self, pattern: str) -> list[Path]:
        """Temporary files that are not empty."""
        return [file for file in self.temporary.glob(pattern) if file.stat().st_size]


@contextmanager
def locust(folder: Path, arguments: Sequence[str], *, headless: bool = True) -> Iterator[Locust]:
    """Start it, without a hint about patching in the environment; whatever is left of it is killed."""
    (folder / "tmp").mkdir(parents=True)
    env = {name: value for name, value in os.environ.items() if not name.startswith("LOCUST_")}
    command = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--only-summary"]
    with (folder / "said.txt").open("w") as output:
        process = subprocess.Popen(
            [*command, *(["--headless"] if headless else []), *arguments],
            cwd=folder,
            env={**env, "TMPDIR": str(folder / "tmp")},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # a test presses Ctrl-C for all of them, and only for them
        )
    try:
        yield Locust(process=process, folder=folder)
    finally:
        kill(process)


def played(folder: Path, arguments: Sequence[str]) -> Locust:
    """A headless one that has come to its end; made again if the machine stood still meanwhile."""
    for number in range(TRIES):
        with locust(folder / f"it-{number}", arguments) as it:
            it.end()
        if not stood_still(it.said):
            break
    return it


@contextmanager
def cluster(
    folder: Path, arguments: Sequence[str], workers: int = 2
) -> Iterator[tuple[Locust, list[Locust]]]:
    """A master and its workers, who share no folder; they come when it has begun to wait for them."""
    port = str(free_ports(1)[0])
    waits = ["--master", "--expect-workers", str(workers), "--master-bind-port", port]
    with ExitStack() as running:
        master = running.enter_context(locust(folder / "master", [*arguments, *waits]))
        until(lambda: f"0 of {workers} connected" in master.said, "the master waits", PATIENCE_S)
        yield (
            master,
            [
                running.enter_context(
                    locust(folder / f"worker-{number}", ["--worker", "--master-port", port])
                )
                for number in range(workers)
            ],
        )


def kill(process: subprocess.Popen[str]) -> None:
    """It and everything that it started."""
    if process.poll() is not None:
        return
    for child in psutil.Process(process.pid).children(recursive=True):
        child.kill()
    process.kill()
    process.wait()


def accounted(said: str) -> int:
    """Sagas of a valid ledger."""
    found = re.search(r"^ledger: valid; (.*)$", said, re.MULTILINE)
    assert found, said
    return sum(int(number) for number in re.findall(r"\d+", found.group(1)))


def sent(said: str) -> list[int]:
    """Sagas of each generator of the only load."""
    (found,) = re.findall(r"^load 1: .*: (\d+) sagas(?: by \d+ generators \((.*)\))?$", said, re.MULTILINE)
    each = [int(number) for number in found[1].split(", ")] if found[1] else [int(found[0])]
    assert sum(each) == int(found[0]), said
    return each


def row(said: str, name: str) -> list[str]:
    """A line of our table, in columns: ``n`` and the percentiles."""
    (found,) = re.findall(rf"^{re.escape(name)}  +(.*)$", said, re.MULTILINE)
    return [column.strip() for column in re.split(r"  +", str(found).strip())]


def code_of(said: str) -> int:
    """The exit code that goes with what was said: a busy machine may make a load void."""
    return 1 if re.search(r"^void: ", said, re.MULTILINE) else 0
