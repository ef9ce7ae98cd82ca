"""A domain service behind a bridge: keys, tombstones, declines, and what it refuses to read."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from bakeoff.bridge import Address, Bridge, Event
from bakeoff.bridge.commands import command, command_of, services_of
from bakeoff.bridge.host import ServiceHost
from bakeoff.bridge.in_process import InProcessBridge
from bakeoff.bridge.relay import workflow_id_in
from bakeoff.errors import HandledError, UnhandledError, UsageError
from bakeoff.orders import COMMANDS, ORDER, ORDER_PIVOT
from bakeoff.orders.taking import cancel_order, create_order
from bakeoff.registry import load_commands
from bakeoff.saga import JSON, Call, Saga, Step
from bakeoff.world import World
from tests.unit.clerk import make_world

RESERVE = Address(service="InventoryService", command="reserveInventory")
RELEASE = Address(service="InventoryService", command="releaseInventory")


def _with_host(
    folder: Path, test: Callable[[Bridge, World], Awaitable[None]], sagas: Sequence[Saga] = (ORDER,)
) -> World:
    async def run() -> World:
        world, bridge = make_world(folder), InProcessBridge()
        host = ServiceHost(bridge, world.services(), slots=4)
        for commands in services_of(sagas, COMMANDS).values():
            await host.serve(commands.values())
        try:
            await test(bridge, world)
        finally:
            await host.stop()
            await bridge.close()
        return world

    return asyncio.run(run())


def _asking(order: str, step: str, direction: str = "action", **more: JSON) -> dict[str, Any]:
    key = f"order-{order}:{step}:{direction}"
    return {"key": key, "workflowId": f"order-{order}", "step": step, "direction": direction, **more}


def test_the_services_bear_the_names_of_the_seed() -> None:
    found = services_of([ORDER], COMMANDS)

    seed = ["EmailService", "InventoryService", "OrderService", "PaymentService", "ShippingService"]
    assert sorted(found) == seed
    events = {str(one.address): one.event for commands in found.values() for one in commands.values()}
    assert events["InventoryService.1.reserveInventory"] == "inventoryReserved"
    assert events["PaymentService.1.processPayment"] == "paymentProcessed"
    assert events["ShippingService.1.createShipment"] == "shipmentCreated"
    assert events["ShippingService.1.confirmDelivery"] == "deliveryConfirmed"
    assert events["OrderService.1.createOrder"] == "orderCreated"
    assert events["PaymentService.1.refundPayment"] == ""


def test_an_order_is_created_and_cancelled_by_commands(tmp_path: Path) -> None:
    """No saga of ours calls them, and they are idempotent like all others."""
    line: dict[str, JSON] = {"sku": "pen", "quantity": 2, "unitPriceMinor": 255}
    wanted: JSON = {"orderId": "new", "lines": [line]}
    bad: JSON = {"orderId": "bad", "lines": [{**line, "quantity": 0}]}
    create, cancel = command_of(create_order).address, command_of(cancel_order).address

    async def test(bridge: Bridge, world: World) -> None:
        for _ in range(2):
            answer = await bridge.invoke(create, wanted, {"key": "new:created"}, timeout_s=5)
            assert answer == {"orderId": "new"}
        with pytest.raises(HandledError, match="there is an order 'new' already"):
            await bridge.invoke(create, wanted, {"key": "another"}, timeout_s=5)
        with pytest.raises(HandledError, match="less than the minimum of 1"):
            await bridge.invoke(create, bad, {"key": "bad"}, timeout_s=5)
        await bridge.invoke(RESERVE, {"orderId": "new"}, _asking("new", "reserve_inventory"), timeout_s=5)
        assert world.totals().reserved == 2
        await bridge.invoke(cancel, {"orderId": "new"}, {"key": "new:cancelled"}, timeout_s=5)
        with pytest.raises(HandledError, match="there is no order 'new'"):
            await bridge.invoke(RESERVE, {"orderId": "new"}, {"key": "later"}, timeout_s=5)

    _with_host(tmp_path, test).close()


@pytest.mark.parametrize("named", ["{'a': 1}", "['take']", "7"])
def test_commands_that_are_none_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str) -> None:
    """A module of sagas may have a COMMANDS of its own, for something else."""
    module = f"shop_{abs(hash(named))}"
    (tmp_path / f"{module}.py").write_text(f"COMMANDS = {named}\n")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(UsageError, match=f"{module}: COMMANDS is a tuple of functions"):
        load_commands([module])


def test_a_repeated_command_acts_once(tmp_path: Path) -> None:
    async def test(bridge: Bridge, world: World) -> None:
        heard: list[Event] = []

        async def listen(event: Event) -> None:
            heard.append(event)

        await bridge.on_event("inventoryReserved", listen)
        first, second = [
            await bridge.invoke(
                RESERVE, {"orderId": "1"}, _asking("1", "reserve_inventory", ordinal=n), timeout_s=5
            )
            for n in (1, 2)
        ]
        assert first == second == {"orderId": "1", "units": 2}
        async with asyncio.timeout(5):
            while len(heard) < 2:  # whoever is signalled by events must know repeats
                await asyncio.sleep(0.01)

    world = _with_host(tmp_path, test)
    assert world.totals().reserved == 2
    assert [record.kind for record in world.ledger(workflow_id="order-1")] == ["effect"]
    world.close()


def test_every_event_of_an_order_tells_its_saga(tmp_path: Path) -> None:
    """Without the order's id in it nobody could be signalled by what a service has done."""
    heard: dict[str, str | None] = {}

    async def test(bridge: Bridge, world: World) -> None:
        async def listen(event: Event) -> None:
            heard[event.name] = workflow_id_in(event.payload)

        steps = [one for saga in (ORDER, ORDER_PIVOT) for one in saga.steps()]
        named = [one for one in steps if command_of(one.action).event]
        for name in {command_of(one.action).event for one in named}:
            await bridge.on_event(name, listen)
        for one in named:
            asked = _asking("1", one.name)
            await bridge.invoke(command_of(one.action).address, {"orderId": "1"}, asked, timeout_s=5)
        async with asyncio.timeout(5):
            while len(heard) < 3:
                await asyncio.sleep(0.01)

    _with_host(tmp_path, test, sagas=[ORDER, ORDER_PIVOT]).close()
    assert heard == dict.fromkeys(("inventoryReserved", "paymentProcessed", "shipmentCreated"), "order-1")


def test_a_command_that_comes_after_its_undo_does_nothing(tmp_path: Path) -> None:
    async def test(bridge: Bridge, world: World) -> None:
        undo = _asking("1", "reserve_inventory", "compensation")
        assert await bridge.invoke(RELEASE, {"orderId": "1"}, undo, timeout_s=5) is None
        with pytest.raises(HandledError, match="was compensated before it ran") as late:
            await bridge.invoke(RESERVE, {"orderId": "1"}, _asking("1", "reserve_inventory"), timeout_s=5)
        assert late.value.data == {"type": "TombstoneError"}

    world = _with_host(tmp_path, test)
    assert world.totals().reserved == 0
    world.close()


def test_a_business_rule_is_a_decline(tmp_path: Path) -> None:
    async def test(bridge: Bridge, world: World) -> None:
        world.set_stock({"pen": 0})
        with pytest.raises(HandledError, match="insufficient stock for pen") as declined:
            await bridge.invoke(RESERVE, {"orderId": "1"}, _asking("1", "reserve_inventory"), timeout_s=5)
        assert declined.value.status == 409

    _with_host(tmp_path, test).close()


@pytest.mark.parametrize(
    ("payload", "parameter", "why"),
    [
        ({}, {"key": "k"}, "'orderId' is a required property"),
        ({"orderId": 7}, {"key": "k"}, "7 is not of type 'string'"),
        ({"orderId": ""}, {"key": "k"}, "orderId|non-empty|too short"),
        ("order-1", {"key": "k"}, "'order-1' is not of type 'object'"),
        ({"orderId": "1"}, {}, "'key' is a required property"),
        ({"orderId": "1"}, {"key": "k", "ordinal": 0}, "0 is less than the minimum"),
        ({"orderId": "1"}, {"key": "k", "direction": "sideways"}, "'sideways' is not one of"),
    ],
)
def test_a_payload_that_breaks_its_schema_is_refused(
    tmp_path: Path, payload: JSON, parameter: dict[str, JSON], why: str
) -> None:
    async def test(bridge: Bridge, world: World) -> None:
        with pytest.raises(HandledError, match=why) as refused:
            await bridge.invoke(RESERVE, payload, parameter, timeout_s=5)
        assert refused.value.status == 400
        assert isinstance(refused.value.data, list)

    world = _with_host(tmp_path, test)
    assert world.ledger() == []
    world.close()


def test_who_is_no_saga_needs_a_key_and_nothing_else(tmp_path: Path) -> None:
    async def test(bridge: Bridge, world: World) -> None:
        for _ in range(2):
            done = await bridge.invoke(RESERVE, {"orderId": "2"}, {"key": "mine"}, timeout_s=5)
            assert done == {"orderId": "2", "units": 3}

    world = _with_host(tmp_path, test)
    assert world.totals().reserved == 3
    world.close()


def test_a_failure_names_what_the_service_raised(tmp_path: Path) -> None:
    def lose(call: Call) -> JSON:
        raise LookupError("the shelf is gone")

    async def run() -> None:
        world, bridge = make_world(tmp_path), InProcessBridge()
        host = ServiceHost(bridge, world.services(), slots=1)
        await host.serve([command_of(lose)])
        try:
            with pytest.raises(UnhandledError, match="the shelf is gone") as failed:
                await bridge.invoke(command_of(lose).address, {"input": 1}, {"key": "k"}, timeout_s=5)
            assert failed.value.cause == "LookupError"
        finally:
            await host.stop()
            world.close()

    asyncio.run(run())


def test_two_functions_cannot_be_one_command() -> None:
    @command("PaymentService", "processPayment")
    def mine(call: Call) -> JSON:
        return None

    other = Saga("other", (Step(name="pay", action=mine),))
    with pytest.raises(UsageError, match=r"two functions are the command PaymentService\.1\.processPayment"):
        services_of([ORDER, other])
