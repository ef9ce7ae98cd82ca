"""What every bridge promises, over each of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from bakeoff.bridge import Address, Bridge, Event, Request
from bakeoff.errors import CommandTimeoutError, HandledError, NotServedError, UnhandledError
from bakeoff.saga import JSON
from tests.bridge.conftest import Over

RESERVE = Address(service="InventoryService", command="reserveInventory")


async def until(found: Callable[[], Any], within_s: float = 10.0) -> None:
    async with asyncio.timeout(within_s):
        while not found():
            await asyncio.sleep(0.01)


def test_an_answer_comes_back(over: Over) -> None:
    async def test(bridge: Bridge) -> None:
        async def reserve(request: Request) -> JSON:
            return {"asked": request.payload, "with": dict(request.parameter), "by": request.sender}

        await bridge.serve(RESERVE, reserve)
        answer = await bridge.invoke(RESERVE, {"orderId": "ü-1"}, {"key": "k"}, timeout_s=5)
        assert answer["asked"] == {"orderId": "ü-1"}
        assert answer["with"] == {"key": "k"}
        assert answer["by"]

    over(test)


def test_a_decline_is_no_failure(over: Over) -> None:
    async def test(bridge: Bridge) -> None:
        async def decline(request: Request) -> JSON:
            raise HandledError("out of stock", 409, {"sku": "A"})

        async def fail(request: Request) -> JSON:
            raise ValueError("no such shelf")

        await bridge.serve(RESERVE, decline)
        broken = Address(service="InventoryService", command="releaseInventory")
        await bridge.serve(broken, fail)
        with pytest.raises(HandledError, match="out of stock") as declined:
            await bridge.invoke(RESERVE, {}, timeout_s=5)
        assert (declined.value.status, declined.value.data) == (409, {"sku": "A"})
        with pytest.raises(UnhandledError, match="no such shelf") as failed:
            await bridge.invoke(broken, {}, timeout_s=5)
        assert failed.value.cause == "ValueError"

    over(test)


def test_what_nobody_serves_has_not_run(over: Over) -> None:
    async def test(bridge: Bridge) -> None:
        with pytest.raises(NotServedError, match=r"InventoryService\.1\.reserveInventory"):
            await bridge.invoke(RESERVE, {}, timeout_s=5)

        async def reserve(request: Request) -> JSON:
            return None

        serving = await bridge.serve(RESERVE, reserve)
        assert await bridge.invoke(RESERVE, {}, timeout_s=5) is None
        await serving.stop()
        with pytest.raises(NotServedError):
            await bridge.invoke(RESERVE, {}, timeout_s=5)

    over(test)


def test_who_serves_one_version_serves_no_other(over: Over) -> None:
    async def test(bridge: Bridge) -> None:
        async def reserve(request: Request) -> JSON:
            return None

        await bridge.serve(RESERVE, reserve)
        with pytest.raises(NotServedError, match=r"nobody serves InventoryService\.2\.reserveInventory"):
            await bridge.invoke(replace(RESERVE, version="2"), {}, timeout_s=5)

    over(test)


def test_a_timed_out_command_runs_all_the_same(over: Over) -> None:
    async def test(bridge: Bridge) -> None:
        ran: list[str] = []

        async def slow(request: Request) -> JSON:
            await asyncio.sleep(0.5)
            ran.append("it ran")
            return None

        await bridge.serve(RESERVE, slow)
        with pytest.raises(CommandTimeoutError, match=r"within 0\.1 s"):
            await bridge.invoke(RESERVE, {}, timeout_s=0.1)
        await until(lambda: ran)

    over(test)


def test_instances_share_the_work(over: Over) -> None:
    async def test(bridge: Bridge) -> None:
        took: list[str] = []

        def instance(name: str) -> Callable[[Request], Awaitable[JSON]]:
            async def reserve(request: Request) -> JSON:
                took.append(name)
                return name

            return reserve

        await bridge.serve(RESERVE, instance("first"))
        await bridge.serve(RESERVE, instance("second"))
        for _ in range(40):
            await bridge.invoke(RESERVE, {}, timeout_s=5)
        assert len(took) == 40
        assert set(took) == {"first", "second"}

    over(test)


def test_several_commands_are_handled_at_once(over: Over) -> None:
    async def test(bridge: Bridge) -> None:
        inside = asyncio.Event()

        async def reserve(request: Request) -> JSON:
            if request.payload["n"] == 1:
                await inside.wait()
            inside.set()
            return request.payload["n"]

        await bridge.serve(RESERVE, reserve)
        answers = await asyncio.gather(*(bridge.invoke(RESERVE, {"n": n}, timeout_s=5) for n in (1, 2)))
        assert answers == [1, 2]

    over(test)


def test_an_event_is_heard(over: Over) -> None:
    async def test(bridge: Bridge) -> None:
        heard: list[Event] = []

        async def listen(event: Event) -> None:
            heard.append(event)

        await bridge.on_event("deliveryConfirmed", listen)
        await bridge.emit("deliveryConfirmed", {"orderId": "o-1"})
        await bridge.emit("somethingElse", {})
        await until(lambda: heard)
        assert [(one.name, one.payload) for one in heard] == [("deliveryConfirmed", {"orderId": "o-1"})]

    over(test)


def test_an_answer_is_an_event_as_well(over: Over) -> None:
    async def test(bridge: Bridge) -> None:
        heard: list[JSON] = []

        async def listen(event: Event) -> None:
            heard.append(event.payload)

        async def reserve(request: Request) -> JSON:
            if request.payload.get("no"):
                raise HandledError("no")
            return {"orderId": "o-1"}

        await bridge.on_event("inventoryReserved", listen, durable="tester")
        await bridge.serve(RESERVE, reserve, event="inventoryReserved")
        await bridge.invoke(RESERVE, {}, timeout_s=5)
        with pytest.raises(HandledError):
            await bridge.invoke(RESERVE, {"no": True}, timeout_s=5)
        await until(lambda: heard)
        assert heard == [{"orderId": "o-1"}]

    over(test)


def test_a_durable_listener_misses_nothing(over: Over) -> None:
    async def test(bridge: Bridge) -> None:
        heard: list[JSON] = []

        async def listen(event: Event) -> None:
            heard.append(event.payload["n"])

        listening = await bridge.on_event("counted", listen, durable="tester")
        await bridge.emit("counted", {"n": 1})
        await until(lambda: heard == [1])
        await listening.stop()
        await bridge.emit("counted", {"n": 2})
        await bridge.emit("counted", {"n": 3})
        await bridge.on_event("counted", listen, durable="tester")
        await until(lambda: len(heard) >= 3)
        assert heard == [1, 2, 3]

    over(test)


def test_an_event_that_was_not_taken_comes_again(over: Over) -> None:
    async def test(bridge: Bridge) -> None:
        tries: list[JSON] = []

        async def listen(event: Event) -> None:
            tries.append(event.payload)
            if len(tries) == 1:
                raise ConnectionError("the engine is away")

        await bridge.on_event("counted", listen, durable="tester")
        await bridge.emit("counted", 7)
        await until(lambda: len(tries) == 2)
        assert tries == [7, 7]

    over(test)
