"""Queue engines whose servers are away: our own errors, with role and address, without credentials."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bakeoff.contract import sagas
from bakeoff.deployment import Deployment
from bakeoff.errors import (
    BakeoffError,
    ResultTimeoutError,
    ServerAwayError,
    StartUnknownError,
    UsageError,
)
from bakeoff.plugins import Plugins
from bakeoff.processes import Launcher, free_ports
from bakeoff.servers import ValkeyServer, start_server
from bakeoff.settings import ConfigClass, resolve
from bakeoff.stack import workers_of
from bakeoff.world import World

SAGAS = ("bakeoff.contract.sagas",)
SHOWN = {"valkey": "redis://***@127.0.0.1:{}/0", "rabbitmq": "amqp://***@127.0.0.1:{}//"}


def _on_a_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    @functools.wraps(test)
    def run(**arguments: Any) -> None:
        asyncio.run(test(**arguments))

    return run


def _deployment(engine: str, broker: str, addresses: dict[str, str], world_url: str) -> Deployment:
    """Class ``default``: as shipped, nothing is tried again for long."""
    declared = Plugins().engine(engine).info().settings
    return Deployment(
        engine=engine,
        settings=resolve(engine, declared, ConfigClass.DEFAULT, {"broker": broker}),
        addresses=addresses,
        world_url=world_url,
        prefix="bakeoff-",
        sagas=SAGAS,
    )


@asynccontextmanager
async def _client(deployment: Deployment) -> AsyncIterator[Any]:
    client = await Plugins().engine(deployment.engine).connect(deployment)
    try:
        yield client
    finally:
        await client.close()


async def _error(call: Any) -> BakeoffError:
    """What a call raises, which must be ours and give nothing away."""
    with pytest.raises(BakeoffError) as caught:
        await asyncio.wait_for(call, 30)
    assert "hunter2" not in str(caught.value)
    assert "alice" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("engine", ["celery", "dramatiq"])
@_on_a_loop
async def test_with_the_only_server_away_every_call_says_so(engine: str, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    address = f"redis://alice:hunter2@127.0.0.1:{port}/0"
    deployment = _deployment(engine, "valkey", {"broker": address}, f"sqlite:///{tmp_path / 'w.db'}")
    told = f"the broker server of {engine} at {SHOWN['valkey'].format(port)} does not answer"
    async with _client(deployment) as client:
        started = await _error(client.start(sagas.TRIP, "a", None))
        waited = await _error(client.result("a", 0.3))
        others = [
            await _error(client.list_sagas()),
            await _error(client.describe("a")),
            await _error(client.signal("a", "approved", "s", None)),
        ]

    assert isinstance(started, StartUnknownError)
    assert told in str(started)
    assert isinstance(waited, ResultTimeoutError)
    assert told in str(waited)
    assert "nobody knows" in str(waited)
    for error in others:
        assert isinstance(error, ServerAwayError)
        assert told in str(error)


@pytest.mark.service
@pytest.mark.parametrize("engine", ["celery", "dramatiq"])
@pytest.mark.parametrize("away", ["broker", "results"])
@_on_a_loop
async def test_of_two_servers_the_one_that_is_away_is_named(engine: str, away: str, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    with Launcher(tmp_path / "logs") as launcher:
        there = await start_server(ValkeyServer(role="there"), launcher, tmp_path)
        addresses = {
            "broker": f"amqp://alice:hunter2@127.0.0.1:{port}//",
            "results": f"redis://alice:hunter2@127.0.0.1:{port}/0",
        }
        addresses["results" if away == "broker" else "unused"] = there.address
        deployment = _deployment(engine, "rabbitmq", addresses, f"sqlite:///{tmp_path / 'w.db'}")
        async with _client(deployment) as client:
            error = await _error(client.start(sagas.TRIP, "a", None))

    shown = SHOWN["rabbitmq" if away == "broker" else "valkey"].format(port)
    assert isinstance(error, StartUnknownError)
    assert f"the {away} server of {engine} at {shown} does not answer" in str(error)


@pytest.mark.service
@pytest.mark.parametrize("engine", ["celery", "dramatiq"])
@_on_a_loop
async def test_a_saga_that_has_not_settled_is_not_blamed_on_a_server(engine: str, tmp_path: Path) -> None:
    """The counterpart: server there, no worker."""
    with Launcher(tmp_path / "logs") as launcher:
        there = await start_server(ValkeyServer(role="broker"), launcher, tmp_path)
        world_url = f"sqlite:///{tmp_path / 'w.db'}"
        async with _client(_deployment(engine, "valkey", {"broker": there.address}, world_url)) as client:
            assert await client.start(sagas.TRIP, "a", None)
            error = await _error(client.result("a", 0.3))

    assert isinstance(error, ResultTimeoutError)
    assert str(error).endswith("has not settled within 0.3 s")


@pytest.mark.service
@pytest.mark.timeout(90)
@pytest.mark.parametrize("engine", ["celery", "dramatiq"])
@_on_a_loop
async def test_a_worker_is_ready_when_its_broker_is_there_and_not_before(engine: str, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    world = World.create(f"sqlite:///{tmp_path / 'w.db'}")
    valkey = ValkeyServer(role="broker")
    addresses = {"broker": valkey.address({"client": port})}
    file = tmp_path / "deployment.json"
    deployment = _deployment(engine, "valkey", addresses, str(world.engine.url))
    deployment.save(file)
    with Launcher(tmp_path / "logs") as launcher:
        workers = workers_of(launcher, Plugins().engine(engine), file, world)
        starting = asyncio.create_task(workers.start(1, ready_within_s=60))
        try:
            async with asyncio.timeout(30):
                while not workers.children or str(port) not in workers.children[0].log_tail():
                    await asyncio.sleep(0.1)
            (child,) = workers.children
            assert child.alive
            assert workers.not_ready() == [child]

            folder = tmp_path / "valkey"
            folder.mkdir()
            launcher.start("valkey", valkey.launch(folder, {"client": port}))
            await starting
            assert workers.not_ready() == []
        finally:
            starting.cancel()
            await workers.stop()
    world.close()


@pytest.mark.parametrize("name", ["broker_url", "result_backend"])
def test_a_password_where_celery_does_not_read_it_is_refused_without_showing_it(name: str) -> None:
    engine = Plugins().engine("celery")
    url = "redis://host/0?password=hunter2"
    settings = resolve("celery", engine.info().settings, ConfigClass.CI, {name: url})

    with pytest.raises(UsageError, match=r"before the host") as caught:
        engine.servers(settings)

    assert "hunter2" not in str(caught.value)
