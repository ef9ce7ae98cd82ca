"""Client processes end cleanly: the SDK's threads may otherwise crash the interpreter at its exit."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.engines.shared import Shared
from tests.tiers import more, thorough

PROCESSES = (8, more(20))

_CLIENT = """
import asyncio, pathlib, sys
from bakeoff.contract import sagas
from bakeoff.deployment import Deployment
from bakeoff.errors import ResultTimeoutError
from bakeoff.plugins import Plugins
from tests.engines.shared import Shared

async def main(file, name):
    client = await Plugins().engine("temporal").connect(Deployment.load(pathlib.Path(file)))
    await client.start(sagas.TRIP, name, None)
    await client.start(sagas.APPROVAL, name + "-waiting", None)
    outcome = await client.result(name, 30)
    try:
        await client.result(name + "-waiting", 0.05)
    except ResultTimeoutError:
        pass
    await client.close()
    print(outcome.status)

asyncio.run(main(*sys.argv[1:]))
"""


@thorough
@pytest.mark.service
@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("processes", PROCESSES)
def test_no_client_process_crashes_at_its_exit(shared: Shared, processes: int) -> None:
    """Short processes, each with one finished and one abandoned wait, all end with code 0."""
    file = str(shared.temporal("exit").stack.deployment_file)

    def run(number: int) -> tuple[int, str]:
        command = [sys.executable, "-c", _CLIENT, file, f"exit-{processes}-{number}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stdout.strip() or done.stderr

    with ThreadPoolExecutor(4) as pool:
        ends = list(pool.map(run, range(processes)))

    assert ends == [(0, "completed")] * processes
