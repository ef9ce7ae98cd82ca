"""A timer of thirty days, on Temporal's own server that skips time."""

from __future__ import annotations

import asyncio
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment

from bakeoff.contract.sagas import THIRTY_DAYS
from bakeoff.deployment import Deployment
from bakeoff.outcome import Outcome, Status
from bakeoff.plugins import Plugins
from bakeoff.settings import ConfigClass, resolve
from bakeoff.world import Participant, World
from bakeoff_temporal.client import TemporalClient
from bakeoff_temporal.connection import ROLE
from bakeoff_temporal.worker import build_worker

TEST_SERVER = Path(sys.executable).parent / "temporal-test-server"


async def _thirty_days(folder: Path) -> tuple[Outcome, timedelta]:
    engine = Plugins().engine("temporal")
    settings = resolve("temporal", engine.info().settings, ConfigClass.CI)
    url = f"sqlite:///{folder / 'world.db'}"
    World.create(url).close()
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=str(TEST_SERVER)
    ) as env:
        deployment = Deployment(
            engine="temporal",
            settings=settings,
            addresses={ROLE: env.client.service_client.config.target_host},
            world_url=url,
            sagas=("bakeoff.contract.sagas",),
        )
        participant = Participant.of(deployment)
        client = TemporalClient(env.client, deployment)
        with ThreadPoolExecutor(deployment.slots) as executor:
            async with build_worker(env.client, deployment, participant, executor):
                before = await env.get_current_time()
                await client.start(THIRTY_DAYS, "thirty-days", None)
                async with asyncio.timeout(20):
                    while (await client.describe("thirty-days")).current_step != "nap":
                        await asyncio.sleep(0.02)
                await env.sleep(timedelta(days=30, seconds=1))  # time only passes while somebody sleeps
                outcome = await client.result("thirty-days", 30)
                slept = await env.get_current_time() - before
        participant.world.close()
        await client.close()
    return outcome, slept


@pytest.mark.service
def test_timer_of_thirty_days_strikes(tmp_path: Path) -> None:
    """The saga completes after thirty days of the server's time, in no time of ours."""
    began = time.monotonic()

    outcome, slept = asyncio.run(_thirty_days(tmp_path))

    assert outcome.status is Status.COMPLETED
    assert slept >= timedelta(days=30)
    assert time.monotonic() - began < 30
