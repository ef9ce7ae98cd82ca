"""The hand-written yardstick runs, and its worker does not outlive the client that started it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from bakeoff.contract.lab import Lab
from tests.engines.shared import Shared

pytestmark = pytest.mark.service


@pytest.fixture(scope="module")
def lab(shared: Shared) -> Lab:
    return shared.temporal("native")


def _command(lab: Lab, *more: str) -> list[str]:
    address = lab.stack.deployment.addresses["temporal"]
    return [sys.executable, "-m", "bakeoff_bench.native.temporal_native", "--address", address, *more]


@pytest.mark.parametrize("sandbox", [(), ("--sandbox",)], ids=["no-sandbox", "sandbox"])
def test_native_prints_its_rate(lab: Lab, sandbox: tuple[str, ...]) -> None:
    """One JSON object with the rate of so many sagas."""
    command = _command(lab, "--sagas", "10", "--warm-up", "2", "--in-flight", "4", *sandbox)

    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=True)

    result = json.loads(done.stdout)
    assert result["sagas"] == 10
    assert result["sagas_per_s"] > 0
    assert 0 < result["p50_ms"] <= result["p95_ms"]


def test_native_worker_ends_with_its_client(lab: Lab, tmp_path: Path) -> None:
    """After SIGKILL of the client its worker goes by itself."""
    client = subprocess.Popen(_command(lab, "--sagas", "100000"), stdout=subprocess.DEVNULL)
    worker = lab.until("the worker started", lambda: psutil.Process(client.pid).children())[0]
    lab.until("the worker talks to the server", lambda: worker.net_connections("tcp"))

    client.kill()
    client.wait()

    lab.until("the worker ended", lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE)
