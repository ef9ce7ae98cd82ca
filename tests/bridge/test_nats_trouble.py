"""What goes wrong with a NATS server, told in one line each; and strangers on our subjects."""

from __future__ import annotations

import asyncio
from pathlib import Path

import nats
import pytest

from bakeoff.bridge import Address, Request
from bakeoff.bridge.naming import served
from bakeoff.bridge.nats import NatsBridge
from bakeoff.errors import BridgeAwayError, UsageError
from bakeoff.processes import Launch, Launcher, free_ports
from bakeoff.saga import JSON
from bakeoff.servers import NatsServer, restart_server, start_server
from bakeoff.servers.nats import nats_binary
from tests.bridge.conftest import nats_server

RESERVE = Address(service="InventoryService", command="reserveInventory")


def test_nobody_there() -> None:
    (port,) = free_ports(1)
    address = f"nats://user:secret@127.0.0.1:{port}"

    async def test() -> None:
        with pytest.raises(BridgeAwayError, match=f"no NATS answers at nats://.*127.0.0.1:{port}") as away:
            await NatsBridge.connect(address, sender="Tester")
        assert "secret" not in str(away.value)
        with (
            Launcher(Path("unused")) as launcher,
            pytest.raises(UsageError, match="no nats answers at") as none,
        ):
            await start_server(NatsServer(external_address=address), launcher, Path("unused"))
        assert "secret" not in str(none.value)

    asyncio.run(test())


def test_credentials_and_jetstream_are_missing(tmp_path: Path) -> None:
    async def test() -> None:
        (port,) = free_ports(1)
        with Launcher(tmp_path / "logs") as launcher:
            launcher.start(
                "nats",
                Launch(
                    argv=[nats_binary(), "-a", "127.0.0.1", "-p", str(port), "--user", "a", "--pass", "b"]
                ),
            )
            address = f"nats://a:b@127.0.0.1:{port}"
            bridge = await _patiently(address)
            with pytest.raises(BridgeAwayError, match=r"no JetStream at .*start nats-server with JetStream"):
                await bridge.emit("something", {})
            await bridge.close()
            with pytest.raises(UsageError, match="it has no JetStream"):
                await start_server(NatsServer(external_address=address), launcher, tmp_path)
            with pytest.raises(BridgeAwayError, match=r"(?i)authorization"):
                await NatsBridge.connect(f"nats://127.0.0.1:{port}", sender="Tester")

    asyncio.run(test())


async def _patiently(address: str) -> NatsBridge:
    async with asyncio.timeout(10):
        while True:
            try:
                return await NatsBridge.connect(address, sender="Tester")
            except BridgeAwayError:
                await asyncio.sleep(0.05)


def test_wrong_credentials_are_refused_before_anything_starts(tmp_path: Path) -> None:
    async def test() -> None:
        (port,) = free_ports(1)
        config = tmp_path / "nats.conf"
        config.write_text(
            f'listen: 127.0.0.1:{port}\njetstream {{ store_dir: "{tmp_path / "js"}" }}\n'
            "authorization { user: a, password: b }\n"
        )
        with Launcher(tmp_path / "logs") as launcher:
            launcher.start("nats", Launch(argv=[nats_binary(), "-c", str(config)]))
            await (await _patiently(f"nats://a:b@127.0.0.1:{port}")).close()
            right = NatsServer(external_address=f"nats://a:b@127.0.0.1:{port}")
            assert (await start_server(right, launcher, tmp_path)).version
            wrong = NatsServer(external_address=f"nats://a:wrong@127.0.0.1:{port}")
            with pytest.raises(UsageError, match="Authorization Violation") as refused:
                await start_server(wrong, launcher, tmp_path)
            assert "wrong@" not in str(refused.value)

    asyncio.run(test())


def test_strangers_on_our_subjects_are_ignored_and_counted(tmp_path: Path) -> None:
    async def test() -> None:
        async with nats_server(tmp_path) as (server, _):
            bridge = await NatsBridge.connect(server.address, sender="Tester")
            asked: list[JSON] = []

            async def reserve(request: Request) -> JSON:
                asked.append(request.payload)
                return "done"

            await bridge.serve(RESERVE, reserve, event="inventoryReserved")
            stranger = await nats.connect(server.address)
            subject = served("purista", "InventoryService", "1", "reserveInventory").replace("*", "x")
            for data in (b"", b"\xff", b"[1]", b"{}", b'{"messageType":"command","payload":7}'):
                await stranger.publish(subject, data)
            await stranger.publish(
                subject, b'{"messageType":"command","payload":{"payload":1,"parameter":[]}}'
            )
            await stranger.flush()
            assert await bridge.invoke(RESERVE, {"n": 2}, timeout_s=5) == "done"
            async with asyncio.timeout(5):
                while sum(bridge.ignored.values()) < 5 or len(asked) < 2:
                    await asyncio.sleep(0.01)
            assert sorted(asked, key=str) == [1, {"n": 2}]
            await stranger.close()
            await bridge.close()

    asyncio.run(test())


def test_a_foreign_event_does_not_block_those_behind_it(tmp_path: Path) -> None:
    async def test() -> None:
        async with nats_server(tmp_path) as (server, _):
            bridge = await NatsBridge.connect(server.address, sender="Tester")
            heard: list[JSON] = []

            async def listen(event: object) -> None:
                heard.append(getattr(event, "payload", None))

            await bridge.on_event("counted", listen, durable="tester")
            stranger = await nats.connect(server.address)
            places = ["x"] * 6
            await stranger.publish(
                ".".join(["purista.custom_message", *places, "counted", "x", "x", "x", "x"]), b"no message"
            )
            await stranger.flush()
            await bridge.emit("counted", 1)
            async with asyncio.timeout(5):
                while not heard:
                    await asyncio.sleep(0.01)
            assert heard == [1]
            assert sum(bridge.ignored.values()) == 1
            await stranger.close()
            await bridge.close()

    asyncio.run(test())


def test_what_the_stream_took_survives_the_server(tmp_path: Path) -> None:
    async def test() -> None:
        async with nats_server(tmp_path) as (server, launcher):
            bridge = await NatsBridge.connect(server.address, sender="Tester")
            for number in range(50):
                await bridge.emit("counted", number)
            assert server.child is not None
            await asyncio.to_thread(launcher.stop, server.child, 0)
            await restart_server(server, launcher)
            heard: list[JSON] = []

            async def listen(event: object) -> None:
                heard.append(getattr(event, "payload", None))

            async with asyncio.timeout(20):
                while True:
                    try:
                        await bridge.on_event("counted", listen, durable="tester")
                        break
                    except BridgeAwayError:
                        await asyncio.sleep(0.1)
                while len(heard) < 50:
                    await asyncio.sleep(0.01)
            assert sorted(heard) == list(range(50))
            await bridge.close()

    asyncio.run(test())
