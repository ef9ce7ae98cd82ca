"""The way of a step to its service: how long it waits, and what it refuses to send."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from bakeoff.bridge import Address, Bridge, Request
from bakeoff.bridge.bridges import choose_bridge
from bakeoff.bridge.commands import command_of
from bakeoff.bridge.in_process import InProcessBridge
from bakeoff.bridge.portal import Portal
from bakeoff.errors import BusinessError
from bakeoff.orders.inventory import reserve_inventory
from bakeoff.orders.taking import create_order
from bakeoff.outcome import Status
from bakeoff.plugins import Plugins
from bakeoff.saga import JSON, Call
from bakeoff.settings import ConfigClass, resolve
from bakeoff.stack import StackPlan, running_stack
from tests.bridge.order_taking import TAKE_ORDER
from tests.processes.traces import until


class Watched(InProcessBridge):
    """Remembers how long each command was waited for, what it asked, and what was served."""

    def __init__(self) -> None:
        super().__init__()
        self.patience_s: list[float] = []
        self.asked: list[JSON] = []
        self.served: list[JSON] = []

    async def invoke(
        self,
        address: Address,
        payload: JSON,
        parameter: Mapping[str, JSON] | None = None,
        *,
        timeout_s: float,
        trace: Mapping[str, str] | None = None,
    ) -> JSON:
        """Remember it, and invoke."""
        self.patience_s.append(timeout_s)
        self.asked.append(payload)
        return await super().invoke(address, payload, parameter, timeout_s=timeout_s, trace=trace)


@contextmanager
def _portal_to(bridge: Watched, address: Address, slow_s: float = 0.0) -> Iterator[Portal]:
    async def serve(request: Request) -> JSON:
        await asyncio.sleep(slow_s)
        bridge.served.append(request.payload)
        return {"done": True}

    async def connect() -> Bridge:
        await bridge.serve(address, serve)
        return bridge

    portal = Portal(connect)
    try:
        yield portal
    finally:
        portal.close()


def _call(step: str, input: JSON) -> Call:
    return Call(
        workflow_id="order-1",
        step=step,
        direction="action",
        input=input,
        results={},
        attempt=1,
        key=f"order-1:{step}:action",
    )


@pytest.mark.parametrize(("step_s", "bridge_s"), [(10.0, 9.75), (1.0, 0.75), (0.4, 0.3)])
def test_the_bridge_is_less_patient_than_the_step(step_s: float, bridge_s: float) -> None:
    """By a quarter of a second, or of the timeout: the step's own must not strike meanwhile."""
    bridge = Watched()
    with _portal_to(bridge, command_of(reserve_inventory).address) as portal:
        portal(reserve_inventory, _call("reserve_inventory", "1"), 1, "ok", step_s)

    assert bridge.patience_s == [pytest.approx(bridge_s)]


def test_a_service_that_is_too_slow_is_a_timeout_before_the_steps_own() -> None:
    bridge = Watched()
    with _portal_to(bridge, command_of(reserve_inventory).address, slow_s=2) as portal:
        with pytest.raises(TimeoutError, match=r"did not answer within 0\.3 s"):
            portal(reserve_inventory, _call("reserve_inventory", "1"), 1, "ok", 0.4)
        assert bridge.served == []
        until(lambda: bool(bridge.served), "it is served all the same", 10)


@pytest.mark.parametrize(
    ("input", "why"),
    [
        ({"orderId": "1", "lines": []}, r"OrderService\.1\.createOrder: the payload breaks its schema: \[\]"),
        ({"lines": [{}]}, "'orderId' is a required property|'sku' is a required property"),
        ("order-1", "'order-1' is not of type 'object'"),
    ],
)
def test_a_payload_that_breaks_its_schema_is_not_sent(input: JSON, why: str) -> None:
    """Nor sent again: it is a decline, as if the service had said so."""
    bridge = Watched()
    with (
        _portal_to(bridge, command_of(create_order).address) as portal,
        pytest.raises(BusinessError, match=why),
    ):
        portal(create_order, _call("create_order", input), 1, "ok", 1.0)

    assert bridge.asked == []


@pytest.mark.service
def test_a_step_with_such_a_payload_is_tried_once(tmp_path: Path) -> None:
    engine = Plugins().engine("inline")
    plan = StackPlan(
        engine=engine,
        settings=resolve("inline", engine.info().settings, ConfigClass.CI),
        folder=tmp_path,
        sagas=("tests.bridge.order_taking",),
        bridge=choose_bridge("nats"),
    )

    async def run() -> None:
        async with running_stack(plan) as stack:
            await stack.client.start(TAKE_ORDER, "taken", {"orderId": "1"})
            outcome = await stack.client.result("taken", 20)
            assert outcome.status is Status.COMPENSATED
            assert outcome.cause is not None
            assert (outcome.cause.type, outcome.cause.step) == ("BusinessError", "create_order")
            assert "'lines' is a required property" in outcome.cause.message
            assert [record.kind for record in stack.world.ledger(workflow_id="taken")] == ["attempt"]

    asyncio.run(run())
