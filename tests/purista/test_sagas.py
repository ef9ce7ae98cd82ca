"""The order saga as it is, with services of PURISTA: judged by what they tell and by the engine's outcome."""

from __future__ import annotations

from collections import Counter
from functools import partial

import pytest

from bakeoff.bridge import Event, Request
from bakeoff.bridge.commands import command, command_of
from bakeoff.bridge.host import ServiceHost
from bakeoff.engine import Capability, Support
from bakeoff.errors import BusinessError
from bakeoff.orders import FULFILMENT, FULFILMENT_DAYS, ORDER
from bakeoff.outcome import Outcome, Status
from bakeoff.saga import JSON, Call
from tests.processes.traces import until
from tests.purista.services import Shop, address
from tests.tiers import more

pytestmark = [pytest.mark.service, pytest.mark.slow, pytest.mark.timeout(300)]

CHARGE = "charge_payment:action"


def test_an_order_goes_through(shop: Shop) -> None:
    """And every answer that has a name is heard as an event."""
    heard: list[Event] = []
    names = ("inventoryReserved", "paymentProcessed", "shipmentCreated")

    async def listen(event: Event) -> None:
        heard.append(event)

    listening = [shop.call(partial(shop.bridge.on_event, name, listen)) for name in names]
    order_id = shop.new_order()
    outcome = shop.start(ORDER, order_id).outcome()
    until(lambda: len(heard) >= len(names), "the events of an order")
    for one in listening:
        shop.call(one.stop)

    assert outcome.status is Status.COMPLETED
    assert outcome.results["charge_payment"] == {
        "orderId": order_id,
        "chargeId": f"charge-{order_id}-1",
        "amountMinor": 1300,
    }
    assert shop.told("InventoryService", order_id).done == [("reserveInventory", "effect")]
    assert shop.told("PaymentService", order_id).states == [("charge", "captured")]
    assert shop.told("ShippingService", order_id).states == [("shipment", "created")]
    assert shop.told("EmailService", order_id).states == [("confirmation", "sent")]
    assert sorted(event.name for event in heard) == sorted(names), "of three subscriptions, in any order"
    assert {event.payload["orderId"] for event in heard} == {order_id}


def test_a_declined_card_is_compensated(shop: Shop) -> None:
    order_id = shop.new_order(cardLimitMinor=1000)
    outcome = shop.start(ORDER, order_id).outcome()

    _declined(outcome, "charge_payment", f"the card of order {order_id} is declined")
    assert shop.told("InventoryService", order_id).done == [
        ("reserveInventory", "effect"),
        ("releaseInventory", "effect"),
    ]
    payment = shop.told("PaymentService", order_id)
    assert payment.attempted == {"processPayment": 1}
    assert payment.states == []


def test_a_shelf_that_is_empty_is_named(shop: Shop) -> None:
    order_id = shop.new_order(sku="unicorn", quantity=3)
    outcome = shop.start(ORDER, order_id).outcome()

    _declined(outcome, "reserve_inventory", "insufficient stock for unicorn (0 of 3)")
    assert shop.told("InventoryService", order_id).done == []


def test_an_order_that_nobody_has_taken_is_declined(shop: Shop) -> None:
    order_id = f"order-{shop.engine}-unknown"
    outcome = shop.start(ORDER, order_id).outcome()

    _declined(outcome, "reserve_inventory", f"there is no order '{order_id}'")


def test_a_fault_is_retried(shop: Shop) -> None:
    order_id = shop.new_order()
    outcome = shop.start(ORDER, order_id, {CHARGE: {"first": ["fault", "fault"]}}).outcome()

    assert outcome.status is Status.COMPLETED
    payment = shop.told("PaymentService", order_id)
    assert payment.attempted == {"processPayment": 3}
    assert payment.done == [("processPayment", "effect")]


def test_a_fault_for_ever_is_compensated(shop: Shop) -> None:
    """The cause is what PURISTA tells of an exception: nothing but that there was one."""
    order_id = shop.new_order()
    outcome = shop.start(ORDER, order_id, {CHARGE: {"then": "fault"}}).outcome()

    assert outcome.status is Status.COMPENSATED
    assert outcome.cause is not None
    assert outcome.cause.step == "charge_payment"
    assert outcome.cause.type == "StepFault"
    assert outcome.cause.message == "Internal Server Error"
    # Nobody knows whether a failed payment was one: it is undone, and cannot come later.
    assert shop.told("PaymentService", order_id).done == [
        ("refundPayment", "nothing"),
        ("refundPayment", "tombstone"),
    ]
    assert shop.told("InventoryService", order_id).done[-1] == ("releaseInventory", "effect")


def test_an_unknown_outcome_is_one_effect(shop: Shop) -> None:
    order_id = shop.new_order()
    outcome = shop.start(ORDER, order_id, {CHARGE: {"first": ["unknown"]}}).outcome()

    assert outcome.status is Status.COMPLETED
    payment = shop.told("PaymentService", order_id)
    assert payment.attempted == {"processPayment": 2}
    assert payment.states == [("charge", "captured")]


@pytest.mark.parametrize("moment", ["slow", more("late")])
def test_an_instance_that_is_killed_leaves_its_work_to_another(shop: Shop, moment: str) -> None:
    """In the middle of a command, before its effect or after it: the step times out and asks the other."""
    instances = {child.pid: child for child in (shop.process, shop.services.start())}
    order_id = shop.new_order()
    saga = shop.start(ORDER, order_id, {CHARGE: {"first": [f"{moment}:30"]}})
    first = shop.in_the_middle("PaymentService", "processPayment", order_id, moment)
    shop.kill(instances.pop(first))
    (second, shop.process), *_ = instances.items()
    outcome = saga.outcome()

    assert outcome.status is Status.COMPLETED
    payment = shop.told("PaymentService", order_id)
    assert [one["pid"] for one in payment.attempts] == [first, second]
    assert [one["pid"] for one in payment.effects] == [second if moment == "slow" else first]
    assert payment.states == [("charge", "captured")]


@pytest.mark.parametrize("moment", ["slow", more("late")])
def test_a_service_that_is_killed_and_comes_back_has_one_effect(shop: Shop, moment: str) -> None:
    """The only one, in the middle of an undo: what it did is known to the one that comes after it."""
    order_id = shop.new_order(cardLimitMinor=1)
    saga = shop.start(ORDER, order_id, {"reserve_inventory:compensation": {"first": [f"{moment}:30"]}})
    first = shop.in_the_middle("InventoryService", "releaseInventory", order_id, moment)
    shop.kill()
    shop.start_again()
    outcome = saga.outcome()

    _declined(outcome, "charge_payment", f"the card of order {order_id} is declined")
    inventory = shop.told("InventoryService", order_id)
    undone = [one["pid"] for one in inventory.effects if one["command"] == "releaseInventory"]
    assert undone == [shop.process.pid if moment == "slow" else first]
    assert {one["pid"] for one in inventory.attempts} == {first, shop.process.pid}


def test_without_services_nothing_has_happened(shop: Shop) -> None:
    """Every attempt learns at once that nobody is there; the undo waits for somebody."""
    order_id = shop.new_order()
    shop.kill()
    saga = shop.start(ORDER, order_id)
    saga.until_undo_attempted("reserve_inventory")
    shop.start_again()
    outcome = saga.outcome()

    assert outcome.status is Status.COMPENSATED
    assert outcome.cause is not None
    assert outcome.cause.type == "NotServedError"
    assert "nobody serves InventoryService.1.reserveInventory" in outcome.cause.message
    assert shop.told("InventoryService", order_id).done == [
        ("releaseInventory", "nothing"),
        ("releaseInventory", "tombstone"),
    ]


def test_an_action_that_comes_after_its_undo_has_no_effect(shop: Shop) -> None:
    """Every attempt is given up at its timeout, and goes on in its service: the first one comes too late."""
    order_id = shop.new_order()
    slow = ["slow:16", "slow:15", "slow:14"]
    saga = shop.start(ORDER, order_id, {"reserve_inventory:action": {"first": slow}})
    outcome = saga.outcome()
    undone = [("releaseInventory", "nothing"), ("releaseInventory", "tombstone")]
    assert shop.told("InventoryService", order_id).done == undone

    # All three wake up meanwhile; what they are told is in the log of the services, and nobody reads it.
    shop.lab.never(
        "a late action took effect",
        lambda: shop.told("InventoryService", order_id).done != undone,
        for_s=14,
    )
    assert outcome.status is Status.COMPENSATED
    assert outcome.cause is not None
    assert (outcome.cause.type, outcome.cause.step) == ("TimeoutError", "reserve_inventory")
    assert shop.told("InventoryService", order_id).attempted == {"reserveInventory": 3, "releaseInventory": 1}


def test_an_event_of_purista_ends_the_wait_of_a_saga(shop: Shop) -> None:
    _can_leave_steps_out(shop)
    order_id = shop.new_order()
    saga = shop.start(FULFILMENT_DAYS, order_id)
    shop.lab.until("the confirmation is sent", lambda: bool(shop.told("EmailService", order_id).states))
    shop.ask("ShippingService", "confirmDelivery", {"orderId": order_id}, key=f"{order_id}:carrier")
    outcome = saga.outcome()

    assert outcome.status is Status.COMPLETED
    shipment = {"orderId": order_id, "shipmentId": f"shipment-{order_id}-1"}
    assert outcome.results["delivered"] == shipment
    assert shop.told("ShippingService", order_id).states == [("shipment", "delivered")]
    assert shop.told("OrderService", order_id).states == [("closing", "done")]


def test_a_delivery_that_nobody_confirms_is_claimed(shop: Shop) -> None:
    _can_leave_steps_out(shop)
    order_id = shop.new_order()
    outcome = shop.start(FULFILMENT, order_id).outcome()

    assert outcome.status is Status.COMPLETED
    states = [("shipment", "created"), ("reminder", "done"), ("claim", "done")]
    assert sorted(shop.told("ShippingService", order_id).states) == sorted(states)
    assert shop.told("OrderService", order_id).states == [("closing", "done")]


@command("CreditService", "checkCredit", identified_by="orderId")
def check_credit(call: Call) -> JSON:
    """In Python: who asks is a PURISTA service."""
    if "poor" in str(call.input):
        raise BusinessError(f"no credit for {call.input}")
    return {"approvedBy": "python"}


def test_purista_asks_a_service_in_python(shop: Shop) -> None:
    """And hands on what it declines."""
    host = ServiceHost(shop.bridge, shop.stack.world.services(), 4)
    shop.call(lambda: host.serve([command_of(check_credit)]))
    try:
        good = shop.new_order(onCredit=True)
        assert shop.start(ORDER, good).outcome().status is Status.COMPLETED
        poor = f"order-{shop.engine}-poor"
        taken = {
            "orderId": poor,
            "lines": [{"sku": "mug", "quantity": 1, "unitPriceMinor": 1}],
            "onCredit": True,
        }
        shop.ask("OrderService", "createOrder", taken, key=f"{poor}:created")
        outcome = shop.start(ORDER, poor).outcome()
    finally:
        shop.call(host.stop)

    _declined(outcome, "charge_payment", f"no credit for {poor}")
    effects = [one for one in shop.stack.world.ledger() if one.step == "checkCredit" and one.kind == "effect"]
    assert [one.key for one in effects] == [f"{good}:charge_payment:action:credit"]


def test_python_and_purista_share_the_work_of_a_command(shop: Shop) -> None:
    """Both are instances of the same service: each question goes to one of them."""
    asked, taken = address("EmailService", "describeOrder"), 0

    async def describe(request: Request) -> JSON:
        nonlocal taken
        taken += 1
        return {"orderId": "python", "attempts": [], "effects": [], "records": []}

    serving = shop.call(lambda: shop.bridge.serve(asked, describe))
    answers = Counter(
        shop.ask("EmailService", "describeOrder", {"orderId": "purista"})["orderId"] for _ in range(40)
    )
    shop.call(serving.stop)

    assert answers.keys() == {"python", "purista"}
    assert answers["python"] == taken


def _can_leave_steps_out(shop: Shop) -> None:
    """The saga ``fulfilment`` has conditions; an engine that declares that it has none is not asked."""
    claim = shop.stack.info.claims[Capability.CONDITIONS]
    if claim.support is Support.ABSENT:
        pytest.skip(f"not supported by {shop.engine}: conditions: {claim.reason}")


def _declined(outcome: Outcome, step: str, message: str) -> None:
    assert outcome.status is Status.COMPENSATED
    assert outcome.cause is not None
    assert (outcome.cause.type, outcome.cause.step) == ("BusinessError", step)
    assert outcome.cause.message == message
