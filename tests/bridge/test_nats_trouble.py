"""What goes wrong with a NATS server, told in one line each; and strangers on our subjects."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import nats
import pytest

from bakeoff.bridge import Address, Event, Request
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
            assert (await start_server(right, launcher, tmp_path)).version[0].isdigit()
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
            for data in (
                *(b"", b"\xff", b"[1]", b"{}", b'{"messageType":"command","payload":7}', b"[" * 100_000),
                *(b'{"messageType":["command"]}', b'{"messageType":"customMessage","eventName":"x"}'),
            ):
                await stranger.publish(subject, data)
            await stranger.publish(
                subject, b'{"messageType":"command","payload":{"payload":1,"parameter":[]}}'
            )
            await stranger.flush()
            assert await bridge.invoke(RESERVE, {"n": 2}, timeout_s=5) == "done"
            async with asyncio.timeout(5):
                while sum(bridge.ignored.values()) < 8 or len(asked) < 2:
                    await asyncio.sleep(0.01)
            assert sorted(asked, key=str) == [1, {"n": 2}]
            assert bridge.ignored == {
                "not JSON": 2,
                "an envelope is an object": 1,
                "no messageType of ours": 2,
                "a command's payload is an object with payload and parameter": 1,
                "nested too deeply": 1,
                "no command": 1,
            }
            await stranger.close()
            await bridge.close()

    asyncio.run(test())


def test_foreign_events_do_not_block_those_behind_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever they are; the listener hears what comes after them, and the log tells each kind once."""
    foreign = (
        *(b"no message", b"no message either", b"[" * 100_000),
        b'{"messageType":"customMessage","payload":"it has no name"}',
        b'{"messageType":"command","eventName":"counted","payload":{}}',
    )

    async def test() -> None:
        async with nats_server(tmp_path) as (server, _):
            bridge = await NatsBridge.connect(server.address, sender="Tester")
            heard: list[JSON] = []

            async def listen(event: object) -> None:
                heard.append(getattr(event, "payload", None))

            await bridge.on_event("counted", listen, durable="tester")
            stranger = await nats.connect(server.address)
            places = ["x"] * 6
            for data in foreign:
                await stranger.publish(
                    ".".join(["purista.custom_message", *places, "counted", "x", "x", "x", "x"]), data
                )
            await stranger.flush()
            await bridge.emit("counted", 1)
            async with asyncio.timeout(5):
                while not heard or sum(bridge.ignored.values()) < len(foreign):
                    await asyncio.sleep(0.01)
            await bridge.emit("counted", 2)
            async with asyncio.timeout(5):
                while len(heard) < 2:
                    await asyncio.sleep(0.01)
            assert heard == [1, 2]
            assert bridge.ignored == {"not JSON": 2, "nested too deeply": 1, "no event": 2}
            await stranger.close()
            await bridge.close()

    asyncio.run(test())
    told = [record.getMessage() for record in caplog.records]
    assert len([line for line in told if line.startswith("ignored on the bridge: ")]) == 3


def test_a_stream_that_is_lost_under_a_listener_is_made_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The listener makes it, so that also events of those who make none are kept; and says so once."""

    async def test() -> None:
        async with nats_server(tmp_path) as (server, _):
            bridge = await NatsBridge.connect(server.address, sender="Tester")
            heard: list[JSON] = []

            async def listen(event: Event) -> None:
                heard.append(event.payload)

            listening = await bridge.on_event("counted", listen, durable="tester")
            await bridge.emit("counted", 1)
            await _until(lambda: heard == [1])
            stranger = await nats.connect(server.address)
            streams = stranger.jetstream()
            (stream,) = await streams.streams_info()
            await streams.delete_stream(stream.config.name or "")
            async with asyncio.timeout(10):
                while not await streams.streams_info():
                    await asyncio.sleep(0.05)
            for number in (2, 3):
                await bridge.emit("counted", number)
            await _until(lambda: len(heard) == 3)
            assert heard == [1, 2, 3]
            await listening.stop()
            await stranger.close()
            await bridge.close()

    asyncio.run(test())
    told = [record.getMessage() for record in caplog.records]
    assert len([line for line in told if line.startswith("event counted is not heard: ")]) == 1
    assert told.count("event counted is heard again") == 1


def test_a_place_in_the_stream_that_is_lost_is_found_again(tmp_path: Path) -> None:
    """Only the listener's own: what lies in the stream is heard, also what came meanwhile."""

    async def test() -> None:
        async with nats_server(tmp_path) as (server, _):
            bridge = await NatsBridge.connect(server.address, sender="Tester")
            heard: list[JSON] = []

            async def listen(event: Event) -> None:
                heard.append(event.payload)

            await bridge.on_event("counted", listen, durable="tester")
            stranger = await nats.connect(server.address)
            streams = stranger.jetstream()
            (stream,) = await streams.streams_info()
            (place,) = await streams.consumers_info(stream.config.name or "")
            await streams.delete_consumer(stream.config.name or "", place.name)
            await bridge.emit("counted", 1)
            await _until(lambda: heard)
            assert heard == [1]
            await stranger.close()
            await bridge.close()

    asyncio.run(test())


def test_a_stream_that_is_removed_for_good_stays_away(tmp_path: Path) -> None:
    """At the end of a deployment on somebody's own server; a relay elsewhere may still be listening."""

    async def test() -> None:
        async with nats_server(tmp_path) as (server, _):
            elsewhere = await NatsBridge.connect(server.address, sender="Relay")
            bridge = await NatsBridge.connect(server.address, sender="Tester")

            async def listen(event: Event) -> None:
                pass

            await elsewhere.on_event("counted", listen, durable="tester")
            stranger = await nats.connect(server.address)
            streams = stranger.jetstream()
            assert len(await streams.streams_info()) == 1
            await bridge.forget()
            loop = asyncio.get_running_loop()
            deadline = loop.time() + 3  # in which a lost one is made anew twice
            while loop.time() < deadline:
                assert await streams.streams_info() == []
                await asyncio.sleep(0.05)
            await stranger.close()
            await bridge.close()
            await elsewhere.close()

    asyncio.run(test())


async def _until(found: Callable[[], object], within_s: float = 10.0) -> None:
    async with asyncio.timeout(within_s):
        while not found():
            await asyncio.sleep(0.01)


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
