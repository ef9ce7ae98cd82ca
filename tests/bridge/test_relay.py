"""Events signal sagas: real sagas, one after another kind of event."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import reduce
from pathlib import Path

import nats
import pytest

from bakeoff.bridge import Event
from bakeoff.bridge.in_process import InProcessBridge
from bakeoff.bridge.nats import NatsBridge
from bakeoff.bridge.relay import Relay, rules_of, workflow_id_in
from bakeoff.business import ONBOARDING, ONBOARDING_DAYS
from bakeoff.engine import EngineClient, Signals
from bakeoff.errors import ServerAwayError
from bakeoff.orders import FULFILMENT_DAYS, ORDER
from bakeoff.outcome import Outcome, Status
from bakeoff.plugins import Plugins
from bakeoff.saga import JSON
from bakeoff.settings import ConfigClass, resolve
from bakeoff.stack import Stack, StackPlan, running_stack
from tests.bridge.conftest import nats_server

EVENT = "deliveryConfirmed"


def _on_inline(
    folder: Path, test: Callable[[Stack], Awaitable[None]], sagas: tuple[str, ...] = ("bakeoff.orders",)
) -> None:
    engine = Plugins().engine("inline")
    settings = resolve("inline", engine.info().settings, ConfigClass.CI)

    async def run() -> None:
        plan = StackPlan(engine=engine, settings=settings, folder=folder, sagas=sagas)
        async with running_stack(plan) as stack:
            make_world_of(stack)
            await test(stack)

    asyncio.run(run())


def make_world_of(stack: Stack) -> None:
    from bakeoff.orders.model import Line, Order

    stack.world.add_orders(Order(order_id=number, lines=(Line("pen", 1, 150),)) for number in ("1", "2"))
    stack.world.set_stock({"pen": 10})


async def _waiting(stack: Stack, order: str) -> EngineClient:
    client = stack.client
    await client.start(FULFILMENT_DAYS, f"order-{order}", order)
    async with asyncio.timeout(10):
        while (await client.describe(f"order-{order}")).awaiting != "delivered":  # type: ignore[attr-defined]
            await asyncio.sleep(0.01)
    return client


def _relay(client: object) -> Relay:
    assert isinstance(client, Signals)
    return Relay(client=client, rules=rules_of([FULFILMENT_DAYS, ORDER]))


async def _until(found: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not found():
            await asyncio.sleep(0.01)


def test_an_event_ends_the_wait_of_its_order(tmp_path: Path) -> None:
    async def test(stack: Stack) -> None:
        client = await _waiting(stack, "1")
        bridge, relay = InProcessBridge(), _relay(client)
        await relay.start(bridge)
        await bridge.emit(EVENT, {"orderId": "1", "by": "the carrier"})
        outcome = await client.result("order-1", 10)
        assert outcome.status is Status.COMPLETED
        assert outcome.results["delivered"] == {"orderId": "1", "by": "the carrier"}
        assert "remind_carrier" not in outcome.results
        assert relay.relayed == 1
        await relay.stop()
        await bridge.close()

    _on_inline(tmp_path, test)


def test_a_repeated_event_signals_once(tmp_path: Path) -> None:
    async def test(stack: Stack) -> None:
        client = await _waiting(stack, "1")
        relay = _relay(client)
        for number in range(3):  # a command that is answered again emits its event again
            await relay.hear(Event(name=EVENT, payload={"orderId": "1"}, id=str(number)))
        assert (relay.relayed, relay.repeated) == (1, 2)
        assert not relay.refused
        assert (await client.result("order-1", 10)).status is Status.COMPLETED

    _on_inline(tmp_path, test)


def test_an_event_about_nobody_blocks_nobody(tmp_path: Path) -> None:
    async def test(stack: Stack) -> None:
        client = await _waiting(stack, "1")
        bridge, relay = InProcessBridge(), _relay(client)
        await relay.start(bridge)
        for payload in ({"orderId": "unknown"}, {"parcel": 7}, "nonsense", {"orderId": "1"}):
            await bridge.emit(EVENT, payload)
        assert (await client.result("order-1", 10)).status is Status.COMPLETED
        await bridge.emit(EVENT, {"workflowId": "order-2"})
        await _until(lambda: sum(relay.refused.values()) == 4)
        assert relay.refused == {"WorkflowNotFoundError": 2, "about nobody": 2}
        await relay.stop()
        await bridge.close()

    _on_inline(tmp_path, test)


@pytest.mark.parametrize(
    "beyond_json",
    [float("inf"), reduce(lambda inner, _: [inner], range(5000), list[JSON]())],
    ids=["infinity", "depth"],
)
def test_an_event_that_no_engine_can_carry_is_refused(tmp_path: Path, beyond_json: JSON) -> None:
    """It does not come again for ever, and the next one counts."""

    async def test(stack: Stack) -> None:
        client = await _waiting(stack, "1")
        relay = _relay(client)
        await relay.hear(Event(name=EVENT, payload={"orderId": "1", "weight": beyond_json}))
        assert relay.relayed == 0
        assert sum(relay.refused.values()) == 1
        await relay.hear(Event(name=EVENT, payload={"orderId": "1", "weight": 7}))
        outcome = await client.result("order-1", 10)
        assert outcome.results["delivered"] == {"orderId": "1", "weight": 7}

    _on_inline(tmp_path, test)


def test_a_user_who_verifies_is_found_by_what_identifies_the_input(tmp_path: Path) -> None:
    """The event says ``userId``, as the payload of the signal does; its saga is called after that."""

    async def test(stack: Stack) -> None:
        client = stack.client
        assert isinstance(client, Signals)
        relay = Relay(client=client, rules=rules_of([ONBOARDING, ONBOARDING_DAYS]))
        await client.start(ONBOARDING_DAYS, "onboarding-days-ada", "ada")
        async with asyncio.timeout(10):
            while (await client.describe("onboarding-days-ada")).awaiting != "verified":  # type: ignore[attr-defined]
                await asyncio.sleep(0.01)
        await relay.hear(Event(name="userVerified", payload={"userId": "grace"}))
        await relay.hear(Event(name="userVerified", payload={"user": "ada"}))
        assert relay.refused == {"WorkflowNotFoundError": 1, "about nobody": 1}
        await relay.hear(Event(name="userVerified", payload={"userId": "ada"}))
        outcome = await client.result("onboarding-days-ada", 10)
        assert outcome.status is Status.COMPLETED
        assert outcome.results["verified"] == {"userId": "ada"}
        assert outcome.results["provision_account"]["accountId"] == "account-ada"
        assert "remind" not in outcome.results

    _on_inline(tmp_path, test, sagas=("bakeoff.orders", "bakeoff.business"))


def test_a_relay_goes_on_when_the_stream_under_it_is_lost(tmp_path: Path) -> None:
    async def test(stack: Stack) -> None:
        client = await _waiting(stack, "1")
        async with nats_server(tmp_path / "nats") as (server, _):
            bridge = await NatsBridge.connect(server.address, sender="Relay")
            carrier = await NatsBridge.connect(server.address, sender="Carrier")
            relay = _relay(client)
            await relay.start(bridge)
            await carrier.emit(EVENT, {"orderId": "nobody's"})
            await _until(lambda: relay.refused == {"WorkflowNotFoundError": 1})
            stranger = await nats.connect(server.address)
            (stream,) = await stranger.jetstream().streams_info()
            await stranger.jetstream().delete_stream(stream.config.name or "")
            await stranger.close()
            await carrier.emit(EVENT, {"orderId": "1"})
            assert (await client.result("order-1", 10)).status is Status.COMPLETED
            assert relay.relayed == 1
            await relay.stop()
            await carrier.close()
            await bridge.close()

    _on_inline(tmp_path, test)


def test_an_event_that_comes_too_late_is_reported(tmp_path: Path) -> None:
    async def test(stack: Stack) -> None:
        client = await _waiting(stack, "1")
        relay = _relay(client)
        await client.signal("order-1", "delivered", "by hand", {"by": "hand"})  # type: ignore[attr-defined]
        await client.result("order-1", 10)
        await relay.hear(Event(name=EVENT, payload={"orderId": "1"}))
        assert relay.refused == {"SignalRejectedError": 1}

    _on_inline(tmp_path, test)


def test_events_come_again_until_the_engine_is_back(tmp_path: Path) -> None:
    class Away:
        """The engine's client, of a server that is away for two tries."""

        def __init__(self, client: Signals) -> None:
            self._client, self.tries = client, 0

        async def signal(self, workflow_id: str, name: str, signal_id: str, payload: JSON) -> bool:
            self.tries += 1
            if self.tries < 3:
                raise ServerAwayError("away")
            return await self._client.signal(workflow_id, name, signal_id, payload)

    async def test(stack: Stack) -> None:
        client = await _waiting(stack, "1")
        assert isinstance(client, Signals)
        bridge, away = InProcessBridge(), Away(client)
        relay = _relay(away)
        await relay.start(bridge)
        await bridge.emit(EVENT, {"orderId": "1"})
        outcome: Outcome = await client.result("order-1", 10)
        assert outcome.status is Status.COMPLETED
        assert away.tries == 3
        await relay.stop()
        await bridge.close()

    _on_inline(tmp_path, test)


def test_events_that_came_while_no_relay_listened_are_relayed_later(tmp_path: Path) -> None:
    async def test(stack: Stack) -> None:
        client = await _waiting(stack, "1")
        bridge, first = InProcessBridge(), _relay(client)
        await first.start(bridge)
        await first.stop()
        await bridge.emit(EVENT, {"orderId": "1"})
        second = _relay(client)
        await second.start(bridge)
        assert (await client.result("order-1", 10)).status is Status.COMPLETED
        await second.stop()
        await bridge.close()

    _on_inline(tmp_path, test)


def test_whom_an_event_is_about() -> None:
    assert workflow_id_in({"orderId": "7"}) == workflow_id_in({"orderId": "order-7"}) == "order-7"
    assert workflow_id_in({"workflowId": "onboarding-1", "orderId": "7"}) == "onboarding-1"
    assert workflow_id_in({"orderId": 7}) is None
    assert workflow_id_in(["order-7"]) is None
