"""Temporal's activities as commands of services, and events of services as signals of its workflows.

What a workflow did is read from Temporal's own event history, what was done from the services' ledger.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bakeoff.bridge import Address
from bakeoff.bridge.bridges import choose_bridge, connect_bridge
from bakeoff.contract.lab import Lab, Settled, Started
from bakeoff.contract.stack_thread import StackThread
from bakeoff.orders import ORDER
from bakeoff.orders.model import Line, Order
from bakeoff.outcome import Status
from bakeoff.plugins import Plugins
from bakeoff.saga import JSON, Saga
from bakeoff.settings import ConfigClass, resolve
from bakeoff.stack import StackPlan
from bakeoff.world.world import Totals
from tests.bridge.paid_elsewhere import PAID_ELSEWHERE

pytestmark = [pytest.mark.service, pytest.mark.slow]

_PEN = 150
_STOCK = 100


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    engine = Plugins().engine("temporal")
    plan = StackPlan(
        engine=engine,
        settings=resolve("temporal", engine.info().settings, ConfigClass.CI),
        folder=tmp_path_factory.mktemp("on-temporal"),
        sagas=("bakeoff.orders", "tests.bridge.paid_elsewhere"),
        bridge=choose_bridge("nats"),
    )
    thread = StackThread(plan)
    try:
        stack = thread.start()
        stack.world.add_orders(
            Order(order_id=str(number), lines=(Line("pen", 1, _PEN),)) for number in range(1, 9)
        )
        stack.world.set_stock({"pen": _STOCK})
        yield Lab(stack, thread, "on-temporal")
    finally:
        thread.stop()


def _start(lab: Lab, saga: Saga, order: str, **fates: dict[str, JSON]) -> Started:
    return lab.start(
        saga,
        order,
        fates={name.replace("__", ":"): fate for name, fate in fates.items()},  # type: ignore[misc]
        workflow_id=f"order-{order}",
    )


def _activities(end: Settled, kind: str) -> list[str]:
    """What the event history says of activities, without the ids of events."""
    events = end.started.event_history()
    return [event.detail for event in events if event.kind == f"activity_task_{kind}"]


def _totals(lab: Lab) -> Totals:
    return lab.stack.world.totals()


@pytest.mark.parametrize(("order", "fate"), [("1", "unknown"), ("2", "late:2.5")])
def test_a_retried_activity_is_a_command_that_acts_once(lab: Lab, order: str, fate: str) -> None:
    """The service has charged, and its answer is a failure or comes after the activity's timeout."""
    before = _totals(lab)
    end = _start(lab, ORDER, order, charge_payment__action={"first": [fate]}).settled()

    assert end.outcome.status is Status.COMPLETED
    assert any(detail.startswith("charge_payment") for detail in _activities(end, "scheduled"))
    assert any("attempt 2" in detail for detail in _activities(end, "started"))
    first, second = end.trace.attempts("charge_payment")
    assert first.key == second.key == f"order-{order}:charge_payment:action"
    assert (first.repeat, second.repeat) == (False, True)
    effect = end.trace.effect("charge_payment")
    assert effect.pid in {child.pid for child in lab.stack.services["PaymentService"].children}
    assert _totals(lab).captured_minor - before.captured_minor == _PEN


def test_compensations_are_commands_too(lab: Lab) -> None:
    """The shipment is declined: the activities that follow undo the payment and the reservation."""
    before = _totals(lab)
    end = _start(lab, ORDER, "3", create_shipment__action={"then": "decline"}).settled()

    assert end.outcome.status is Status.COMPENSATED
    assert _activities(end, "scheduled") == [
        *("reserve_inventory", "charge_payment", "create_shipment"),
        *("refund_payment", "release_inventory"),
    ]
    services = {child.pid for group in lab.stack.services.values() for child in group.children}
    assert end.trace.effect("charge_payment", "compensation").pid in services
    after = _totals(lab)
    assert (after.on_hand, after.reserved) == (before.on_hand, before.reserved)
    assert after.refunded_minor - before.refunded_minor == _PEN


def test_an_event_signals_the_workflow_of_its_order(lab: Lab) -> None:
    """Somebody else has the order charged; ``paymentProcessed`` comes twice and is one signal."""
    started = _start(lab, PAID_ELSEWHERE, "4")
    lab.until("it waits", lambda: started.describe().awaiting == "paymentCompleted")
    lab.never("it went on", lambda: started.trace().attempts("create_shipment"), for_s=0.3)
    answers = [_pay(lab, "4"), _pay(lab, "4")]
    end = started.settled()

    assert answers[0] == answers[1]
    assert end.outcome.status is Status.COMPLETED
    assert end.outcome.results["paymentCompleted"] == answers[0]
    kinds = [event.kind for event in end.started.event_history()]
    assert kinds.count("workflow_execution_update_completed") == 1


def test_an_event_about_another_order_lets_nobody_go_on(lab: Lab) -> None:
    started = _start(lab, PAID_ELSEWHERE, "5")
    lab.until("it waits", lambda: started.describe().awaiting == "paymentCompleted")
    _pay(lab, "6")
    lab.never("it went on", lambda: started.trace().attempts("create_shipment"), for_s=1)
    _pay(lab, "5")

    assert started.settled().outcome.status is Status.COMPLETED


def _pay(lab: Lab, order: str) -> JSON:
    """Ask for a payment, as a checkout would that knows nothing of sagas."""

    async def pay() -> JSON:
        bridge = await connect_bridge(lab.stack.deployment, sender="Checkout")
        try:
            asked = Address(service="PaymentService", command="processPayment")
            return await bridge.invoke(asked, {"orderId": order}, {"key": f"checkout-{order}"}, timeout_s=5)
        finally:
            await bridge.close()

    return lab.thread.call(pay, 20)
