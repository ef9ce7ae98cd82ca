"""A NATS of somebody's own under a bridge: whose subjects are used there, and what is left of them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path

import nats
import pytest

from bakeoff.bridge import Address
from bakeoff.bridge.bridges import choose_bridge, connect_bridge
from bakeoff.bridge.naming import heard
from bakeoff.errors import NotServedError
from bakeoff.orders import FULFILMENT_DAYS
from bakeoff.orders.model import Line, Order
from bakeoff.outcome import Status
from bakeoff.plugins import Plugins
from bakeoff.settings import ConfigClass, resolve
from bakeoff.stack import Stack, StackPlan, running_stack
from tests.bridge.conftest import nats_server
from tests.cli.terminal import Terminal

pytestmark = [pytest.mark.service, pytest.mark.slow]

RESERVE = Address(service="InventoryService", command="reserveInventory")


def _plan(folder: Path, bridge: str) -> StackPlan:
    engine = Plugins().engine("inline")
    settings = resolve("inline", engine.info().settings, ConfigClass.CI)
    return StackPlan(
        engine=engine, settings=settings, folder=folder, bridge=choose_bridge(bridge), prefix="bakeoff-ada-"
    )


async def _streams(address: str) -> Sequence[str]:
    """Subjects of every stream on the server."""
    client = await nats.connect(address)
    try:
        streams = await client.jetstream().streams_info()
        return sorted(subject for one in streams for subject in one.config.subjects or ())
    finally:
        await client.close()


async def _delivered(stack: Stack, order: str) -> None:
    """A saga that needs commands, answers and an event comes to its end."""
    stack.world.add_orders([Order(order_id=order, lines=(Line("pen", 1, 150),))])
    stack.world.set_stock({"pen": 10})
    await stack.client.start(FULFILMENT_DAYS, f"order-{order}", order)
    bridge = await connect_bridge(stack.deployment, sender="Carrier")
    await bridge.emit("deliveryConfirmed", {"orderId": order})
    await bridge.close()
    outcome = await stack.client.result(f"order-{order}", 30)
    assert outcome.status is Status.COMPLETED
    assert outcome.results["delivered"] == {"orderId": order}


def test_every_deployment_has_subjects_of_its_own_and_leaves_none(tmp_path: Path) -> None:
    """Two on one server do not serve each other's commands."""

    async def run() -> None:
        async with nats_server(tmp_path / "own") as (server, _):
            async with running_stack(_plan(tmp_path / "first", server.address)) as first:
                prefix = first.deployment.bridge_prefix
                assert re.fullmatch(r"bakeoff-ada-[0-9a-f]{6}-purista", prefix)
                assert "bridge" in first.deployment.external
                await _delivered(first, "1")
                kinds = ("command_success_response", "custom_message")
                assert await _streams(server.address) == [f"{prefix}.{kind}.>" for kind in kinds]
                plan = _plan(tmp_path / "second", server.address)
                async with running_stack(plan) as second:
                    assert second.deployment.bridge_prefix != prefix
                    for group in second.services.values():
                        await group.stop()
                    bridge = await connect_bridge(second.deployment, sender="Tester")
                    with pytest.raises(NotServedError):
                        await bridge.invoke(RESERVE, {"orderId": "1"}, {"key": "k"}, timeout_s=5)
                    await bridge.close()
                assert await _streams(server.address) == [f"{prefix}.{kind}.>" for kind in kinds]
            assert await _streams(server.address) == []

    asyncio.run(run())


def test_the_page_on_servers_of_ones_own_works_here(tmp_path: Path) -> None:
    """Its block about NATS, as it stands there."""
    page = (Path(__file__).parents[2] / "docs" / "own-servers.md").read_text()
    _, _, section = page.partition("## NATS under a bridge\n\n")
    lines = [line.strip() for line in section.partition("\n\n")[0].splitlines()]
    assert [line.split()[0] for line in lines] == ["export", "bakeoff"]

    async def run() -> None:
        async with nats_server(tmp_path / "own") as (server, _):
            script = "\n".join(lines).replace("nats://USER:PASSWORD@nats.example:4222", server.address)
            done = await asyncio.to_thread(Terminal(tmp_path).run, f"set -e\n{script}")
            assert done.returncode == 0, done.stdout + done.stderr
            assert "over nats, yours" in done.stdout
            assert await _streams(server.address) == []

    asyncio.run(run())


def test_shared_subjects_are_those_of_others_and_stay(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What a stranger publishes there is counted, and told at the end."""

    async def run() -> None:
        async with nats_server(tmp_path / "own") as (server, _):
            async with running_stack(_plan(tmp_path / "stack", f"{server.address}/purista")) as stack:
                assert stack.deployment.bridge_prefix == "purista"
                stranger = await nats.connect(server.address)
                subject = heard("purista", "customMessage", "deliveryConfirmed").replace("*", "x")
                for data in (b"no message", b"[" * 100_000):
                    await stranger.jetstream().publish(subject, data)
                await stranger.close()
                await _delivered(stack, "1")
            kinds = ("command_success_response", "custom_message")
            assert await _streams(server.address) == [f"purista.{kind}.>" for kind in kinds]

    asyncio.run(run())
    told = [record.getMessage() for record in caplog.records]
    assert "messages that were ignored: 2 (nested too deeply: 1, not JSON: 1)" in told
