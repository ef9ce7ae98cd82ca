"""A Temporal server that is away: bakeoff's own errors, and client processes that end cleanly."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from bakeoff.contract import sagas
from bakeoff.contract.lab import Lab
from bakeoff.errors import BakeoffError, ResultTimeoutError, ServerAwayError, StartUnknownError
from bakeoff.processes import free_ports
from tests.engines.temporal_stack import temporal_lab
from tests.tiers import more

#: Before the drain 3 to 5 of 40 such processes died of SIGABRT.
PROCESSES = (12, more(40))

_CLIENT = """
import asyncio, sys
from bakeoff.deployment import Deployment
from bakeoff.errors import UsageError
from bakeoff.plugins import Plugins
from bakeoff.settings import ConfigClass, resolve

async def main(address):
    engine = Plugins().engine("temporal")
    settings = resolve("temporal", engine.info().settings, ConfigClass.CI)
    deployment = Deployment(
        engine="temporal", settings=settings, addresses={"temporal": address}, world_url="sqlite://"
    )
    try:
        await engine.connect(deployment)
    except UsageError as error:
        assert address in str(error)
        print("refused")

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("processes", PROCESSES)
def test_no_client_process_crashes_after_a_failed_connect(processes: int) -> None:
    (port,) = free_ports(1)

    def run(_: int) -> tuple[int, str]:
        command = [sys.executable, "-c", _CLIENT, f"127.0.0.1:{port}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stdout.strip() or done.stderr

    with ThreadPoolExecutor(4) as pool:
        ends = list(pool.map(run, range(processes)))

    assert ends == [(0, "refused")] * processes


@pytest.fixture(scope="module")
def away(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A stack whose server was killed under its client, with one saga that waits."""
    with temporal_lab(Path(tmp_path_factory.mktemp("away")), "away") as lab:

        async def begin(client: Any) -> None:
            await client.start(sagas.APPROVAL, "waiting", None)

        lab.ask(begin)
        server = next(one for one in lab.stack.servers if one.server.role == "temporal")
        assert server.child is not None
        lab.stack.launcher.stop(server.child, 0)
        yield lab


@pytest.mark.service
@pytest.mark.slow
@pytest.mark.timeout(180)
def test_every_call_says_that_the_server_is_away(away: Lab) -> None:
    """All at once, because the SDK tries each again for ten seconds."""
    calls: dict[str, Any] = {
        "start": lambda client: client.start(sagas.TRIP, "new", None),
        "again": lambda client: client.start(sagas.APPROVAL, "waiting", None),
        "result": lambda client: client.result("waiting", 0.5),
        "signal": lambda client: client.signal("waiting", "approved", "s", None),
        "cancel": lambda client: client.cancel("waiting"),
        "describe": lambda client: client.describe("waiting"),
        "history": lambda client: client.event_history("waiting"),
        "list": lambda client: client.list_sagas(),
    }

    async def all_of_them(client: Any) -> list[Any]:
        return await asyncio.gather(*(call(client) for call in calls.values()), return_exceptions=True)

    errors = dict(zip(calls, away.ask(all_of_them, 60), strict=True))

    address = away.stack.deployment.addresses["temporal"]
    expected = {"start": StartUnknownError, "again": StartUnknownError, "result": ResultTimeoutError}
    for name, error in errors.items():
        assert isinstance(error, expected.get(name, ServerAwayError)), (name, error)
        assert isinstance(error, BakeoffError)
        assert f"the temporal server of temporal at {address} does not answer" in str(error), name
    assert "nobody knows" in str(errors["result"])
