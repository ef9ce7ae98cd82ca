"""The locustfile under Locust itself: alone, with processes, as a master with workers."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import psutil
import pytest

from bakeoff.processes import free_ports
from tests.processes.traces import until
from tests.tiers import thorough

pytestmark = [pytest.mark.service, pytest.mark.slow]

_LOCUSTFILE = Path(__file__).parents[2] / "scenarios" / "locustfile.py"
_PATIENCE_S = 100
_LOAD = ["--engine", "inline", "--rate", "6", "--duration", "5"]


def _start(
    arguments: Sequence[str], folder: Path, output: IO[str] | int = subprocess.PIPE
) -> subprocess.Popen[str]:
    """As a user types it; without a hint about patching in the environment."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("LOCUST_")}
    return subprocess.Popen(
        [sys.executable, "-m", "locust", "-f", str(_LOCUSTFILE), "--headless", "--only-summary", *arguments],
        env={**env, "TMPDIR": str(folder)},
        stdout=output,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _kill(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        for child in psutil.Process(process.pid).children(recursive=True):
            child.kill()
        process.kill()
        process.wait()


def _end(process: subprocess.Popen[str]) -> str:
    try:
        said, _ = process.communicate(timeout=_PATIENCE_S)
    except subprocess.TimeoutExpired:
        _kill(process)
        said, _ = process.communicate()
        pytest.fail(f"Locust did not end: {said}")
    return said


def _settled(said: str) -> int:
    found = re.search(r"ledger: valid; (.*)", said)
    assert found, said
    return sum(int(number) for number in re.findall(r"\d+", found.group(1)))


def test_alone(tmp_path: Path) -> None:
    process = _start(_LOAD, tmp_path)
    said = _end(process)

    assert process.returncode == 0, said
    rows = re.findall(r"saga +order-accepted +(\d+)", said)
    assert int(rows[0]) == _settled(said) > 10
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []


@thorough
def test_with_two_processes(tmp_path: Path) -> None:
    port = str(free_ports(1)[0])
    process = _start(
        [*_LOAD, "--processes", "2", "--master-port", port, "--master-bind-port", port], tmp_path
    )
    said = _end(process)

    assert process.returncode == 0, said
    assert f"order-accepted: {_settled(said)} of all workers" in said
    assert "Traceback" not in said


def test_a_master_waits_for_its_workers(tmp_path: Path) -> None:
    """They come when it has begun to wait, as on machines of their own."""
    port = str(free_ports(1)[0])
    said_by_master = tmp_path / "master.txt"

    def run(arguments: Sequence[str], output: IO[str]) -> subprocess.Popen[str]:
        process = _start(arguments, tmp_path, output)
        running.callback(_kill, process)
        return process

    with said_by_master.open("w") as output, ExitStack() as running:
        master = run([*_LOAD, "--master", "--expect-workers", "2", "--master-bind-port", port], output)
        until(lambda: "0 of 2 connected" in said_by_master.read_text(), "the master waits", _PATIENCE_S)
        workers = [run(["--worker", "--master-port", port], output) for _ in range(2)]
        codes = [process.wait(_PATIENCE_S) for process in (master, *workers)]
    said = said_by_master.read_text()

    assert codes == [0, 0, 0], said
    assert f"order-accepted: {_settled(said)} of all workers" in said


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--scenario", "order-stedy"], "Did you mean 'order-steady'?"),
        (["--engine", "temporall"], "'temporall' is not installed"),
        (["--scenario", "order-worker-crash"], "bakeoff load --scenario order-worker-crash"),
        (["--rate", "0.01", "--duration", "2"], "starts no saga at all"),
    ],
)
def test_a_mistake_is_told_in_a_line(tmp_path: Path, arguments: list[str], why: str) -> None:
    process = _start(arguments, tmp_path)
    said = _end(process)

    assert process.returncode == 2, said
    assert why in said
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []


def test_a_worker_on_another_machine_leaves_no_credentials(tmp_path: Path) -> None:
    """It does not see the master's folder, so it makes one, which is gone when its process ends."""
    code = (
        "from bakeoff_bench.load.generator.wire import received\n"
        "order = dict(deployment='', saga='order', load='order-steady', rate=1.0, seconds=1.0,\n"
        "             process='poisson', seed=1, arrival_seed=1, label='x', folder='/nowhere/at/load-1')\n"
        "got = received({'order': order, 'deployment': '{}', 'number': 0, 'of': 1})\n"
        "print(got.deployment, oct(__import__('os').stat(got.deployment).st_mode & 0o777))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    deployment, mode = done.stdout.split()

    assert mode == "0o600"
    assert str(tmp_path) in deployment
    assert list(tmp_path.iterdir()) == []
