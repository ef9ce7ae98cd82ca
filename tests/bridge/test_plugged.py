"""Bridges come in by a hook: ours, and whatever another package brings."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bakeoff.bridge import Request
from bakeoff.bridge.bridges import (
    NO_BRIDGE,
    ROLE,
    ChosenBridge,
    bridge_server,
    choose_bridge,
    connect_bridge,
    forget_events,
    remote_of,
)
from bakeoff.bridge.commands import command_of
from bakeoff.deployment import Deployment
from bakeoff.errors import EngineUnavailableError, UnknownNameError, UsageError
from bakeoff.orders.inventory import reserve_inventory
from bakeoff.plugins import Plugins
from bakeoff.processes import Launcher
from bakeoff.saga import JSON, Call
from bakeoff.servers import start_server
from bakeoff.settings import ConfigClass, resolve

#: A package with a bridge that calls itself differently and has URLs of its own, and with two broken ones.
_METADATA = "Metadata-Version: 2.1\nName: pigeons\nVersion: 1.0\n"
_ENTRY_POINTS = """\
[bakeoff.bridges]
pigeons = pigeons
raising = pigeons_raising
nothing = pigeons_nothing
"""
_PIGEONS = """\
from bakeoff.bridge.bridges import ChosenBridge
from bakeoff.bridge.over_nats import OverNats
from bakeoff.hookspecs import hookimpl


class Pigeons(OverNats):
    schemes = ("pigeon",)

    def choose(self, url):
        return ChosenBridge(self.name, url and url.replace("pigeon:", "nats:"))


@hookimpl
def bakeoff_bridge():
    return Pigeons()
"""
_NOTHING = """\
from bakeoff.hookspecs import hookimpl


@hookimpl
def bakeoff_bridge():
    return "not a bridge"
"""


@pytest.fixture
def pigeons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """That package is installed."""
    site = tmp_path / "site"
    (site / "pigeons-1.0.dist-info").mkdir(parents=True)
    (site / "pigeons-1.0.dist-info" / "METADATA").write_text(_METADATA)
    (site / "pigeons-1.0.dist-info" / "entry_points.txt").write_text(_ENTRY_POINTS)
    (site / "pigeons.py").write_text(_PIGEONS)
    (site / "pigeons_raising.py").write_text("raise RuntimeError('not today')\n")
    (site / "pigeons_nothing.py").write_text(_NOTHING)
    monkeypatch.syspath_prepend(str(site))
    yield
    for name in ("pigeons", "pigeons_raising", "pigeons_nothing"):
        sys.modules.pop(name, None)


def _deployment(bridge: str, address: str = "") -> Deployment:
    return Deployment(
        engine="inline",
        settings=resolve("inline", Plugins().engine("inline").info().settings, ConfigClass.CI),
        addresses={ROLE: address},
        world_url="sqlite://",
        bridge=bridge,
        bridge_prefix="aloft",
    )


def test_ours_are_chosen_by_name_and_by_url() -> None:
    assert choose_bridge("in-process") == NO_BRIDGE
    assert choose_bridge("nats") == ChosenBridge("nats")
    assert choose_bridge("nats://h:4222/purista") == ChosenBridge("nats", "nats://h:4222", "purista")
    assert choose_bridge("tls://ada:secret@h") == ChosenBridge("nats", "tls://ada:secret@h")


def test_without_a_bridge_there_is_nothing_to_start_or_to_connect_to() -> None:
    """Steps act in the process of their worker, and nobody relays."""
    deployment = _deployment("in-process")

    assert bridge_server(NO_BRIDGE) is None
    assert remote_of(deployment) is None
    asyncio.run(forget_events(deployment))
    with pytest.raises(UsageError, match="inline has no bridge: its steps act in the workers, and no event"):
        asyncio.run(connect_bridge(deployment, sender="Tester"))


@pytest.mark.usefixtures("pigeons")
def test_one_of_another_package_carries_commands_and_events(tmp_path: Path) -> None:
    """From its own server, chosen by its name, to the answer that a step gets."""
    assert choose_bridge("pigeon://h:4222") == ChosenBridge("pigeons", "nats://h:4222")
    chosen = choose_bridge("pigeons")
    assert chosen == ChosenBridge("pigeons")

    async def reserve(request: Request) -> JSON:
        return {"asked": request.payload}

    async def run() -> JSON:
        with Launcher(tmp_path / "logs") as launcher:
            wanted = bridge_server(chosen)
            assert wanted is not None
            assert wanted.role == ROLE
            server = await start_server(wanted, launcher, tmp_path)
            deployment = _deployment("pigeons", server.address)
            service = await connect_bridge(deployment, sender="InventoryService")
            await service.serve(command_of(reserve_inventory).address, reserve, event="inventoryReserved")
            portal = remote_of(deployment)
            assert portal is not None
            call = Call(
                workflow_id="order-1",
                step="reserve_inventory",
                direction="action",
                input="1",
                results={},
                attempt=1,
                key="order-1:reserve_inventory:action",
            )
            try:
                answer = await asyncio.to_thread(portal, reserve_inventory, call, 1, "ok", 5.0)
            finally:
                await asyncio.to_thread(portal.close)
            await forget_events(deployment)
            await service.close()
            return answer

    assert asyncio.run(run()) == {"asked": {"orderId": "1"}}


@pytest.mark.usefixtures("pigeons")
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("raising", "bridge 'raising' cannot be loaded: RuntimeError: not today"),
        (
            "nothing",
            r"bridge 'nothing' cannot be loaded: .*'not a bridge' is no bridge: it has no choose\(\)",
        ),
    ],
)
def test_one_that_is_broken_says_so_and_stops_no_other(name: str, reason: str) -> None:
    with pytest.raises(EngineUnavailableError, match=reason):
        choose_bridge(name)
    assert choose_bridge("nats") == ChosenBridge("nats")
    assert choose_bridge("pigeon://h").name == "pigeons"


@pytest.mark.usefixtures("pigeons")
def test_one_that_nobody_installed_is_told_with_those_that_are() -> None:
    with pytest.raises(UnknownNameError, match=r"in-process, nats, pigeons.*pigeon://host:port.*'pigeons'\?"):
        choose_bridge("pigeon")
    with pytest.raises(UnknownNameError, match=r"--bridge amqp://\.\.\.: no bridge has such URLs; give "):
        choose_bridge("amqp://guest:guest@h")
