"""A command that runs after its undo, and an event that is lost behind its answer, seen to the end.

What happens to services is done to a whole deployment; what they say is heard on the bridge's server.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bakeoff.bridge import Address
from bakeoff.bridge.bridges import choose_bridge, connect_bridge
from bakeoff.bridge.windows import ANSWERED, TAKEN
from bakeoff.contract.lab import Lab
from bakeoff.contract.stack_thread import StackThread
from bakeoff.orders.model import Line, Order
from bakeoff.outcome import Status
from bakeoff.plugins import Plugins
from bakeoff.processes import Child, is_gone, kill_session, pause_session, resume_session
from bakeoff.saga import JSON
from bakeoff.settings import ConfigClass, resolve
from bakeoff.stack import StackPlan
from bakeoff.world import Aim, Reached, arm, reached, release
from tests.bridge.paid_elsewhere import PAID_ELSEWHERE
from tests.crash.charged_once import CHARGED_ONCE
from tests.crash.tap import tapping
from tests.tiers import more

pytestmark = [pytest.mark.service, pytest.mark.slow]

_CHARGE, _PAYMENTS = "charge_payment", "PaymentService"


@pytest.fixture(scope="module", params=["dramatiq", more("temporal")])
def lab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A deployment of which the payment service has two instances."""
    engine = Plugins().engine(request.param)
    thread = StackThread(
        StackPlan(
            engine=engine,
            settings=resolve(request.param, engine.info().settings, ConfigClass.CI),
            folder=tmp_path_factory.mktemp(request.param),
            sagas=("bakeoff.orders", "tests.bridge.paid_elsewhere", "tests.crash.charged_once"),
            faults=True,
            bridge=choose_bridge("nats"),
        )
    )
    stack = thread.start()
    try:
        stack.world.add_orders(Order(order_id=name, lines=(Line("pen", 1, 150),)) for name in ("1", "2"))
        stack.world.set_stock({"pen": 10})
        thread.call(lambda: stack.services[_PAYMENTS].start(1), 60)
        yield Lab(stack, thread, "services")
    finally:
        stack.launcher.hurry()
        thread.stop()


def _standing(lab: Lab, workflow_id: str) -> tuple[Reached, Child]:
    """Where a process of the payment service stands, and which instance it is."""

    def found() -> Reached | None:
        return next((one for one in reached(lab.stack.world.engine) if one.workflow_id == workflow_id), None)

    at = lab.until(f"a service stands at {workflow_id}", found)
    children = lab.stack.services[_PAYMENTS].children
    return at, next(child for child in children if at.pid in child.members())


def test_a_command_that_was_given_up_meets_the_tombstone_of_its_undo(lab: Lab) -> None:
    """One instance is paused with the charge in hand; the other one undoes it; then the first goes on."""
    world, instances = lab.stack.world, lab.stack.services[_PAYMENTS].children
    assert len(instances) == 2
    before = world.totals()
    started = lab.prepare(CHARGED_ONCE, "1", workflow_id="order-1")
    arm(world.engine, "order-1", Aim(_CHARGE, "action", TAKEN))
    with tapping(lab) as tap:
        assert started.start()
        at, paused = _standing(lab, "order-1")
        (other,) = (child for child in instances if child is not paused)
        pause_session(paused.pid)
        try:
            release(world.engine, at.id)  # nothing but the pause keeps it
            end = started.settled()
            left = {(r.kind, r.direction): r.pid for r in end.trace.records if r.step == _CHARGE}
            assert end.outcome.status is Status.COMPENSATED
            assert end.outcome.cause is not None
            assert (end.outcome.cause.type, end.outcome.cause.step) == ("TimeoutError", _CHARGE)
            assert left.keys() == {
                *(("attempt", "action"), ("attempt", "compensation")),
                *(("nothing", "compensation"), ("tombstone", "action")),
            }
            assert left["nothing", "compensation"] in other.members()
            assert left["tombstone", "action"] in other.members()
            assert tap.declined("TombstoneError") == []
        finally:
            resume_session(paused.pid)
        (late,) = lab.until("the late command is declined", lambda: tap.declined("TombstoneError"))
    assert late["sender"]["serviceName"] == _PAYMENTS
    assert late["payload"]["message"] == f"{_CHARGE} was compensated before it ran"
    assert started.trace().records == end.trace.records, "nothing came after the undo"
    assert world.totals() == before


def test_an_event_lost_behind_its_answer_comes_with_the_repeated_command(lab: Lab) -> None:
    """A saga waits for it: in vain, until whoever has the answer asks once more with the same key."""
    world, group = lab.stack.world, lab.stack.services[_PAYMENTS]
    started = lab.start(PAID_ELSEWHERE, "2", workflow_id="order-2")
    lab.until("it waits", lambda: started.describe().awaiting == "paymentCompleted")
    arm(world.engine, "checkout-2", Aim("processPayment", "action", ANSWERED))
    with tapping(lab) as tap:
        answer = _pay(lab)
        _, child = _standing(lab, "checkout-2")
        kill_session(child.pid)
        lab.until("the service is gone", lambda: is_gone(child.pid))

        lab.never("it went on", lambda: started.trace().attempts("create_shipment"), for_s=2)
        assert started.describe().awaiting == "paymentCompleted"
        assert tap.events("paymentProcessed", "2") == []

        lab.until("it is started again", lambda: len(group.children) == 2 and not group.not_ready())
        assert _pay(lab) == answer
        end = started.settled()
        assert tap.events("paymentProcessed", "2")
    assert end.outcome.status is Status.COMPLETED
    assert end.outcome.results["paymentCompleted"] == answer
    paid = [record.kind for record in world.ledger(workflow_id="checkout-2")]
    assert paid.count("effect") == 1, "charged once"


def _pay(lab: Lab) -> JSON:
    """Ask for a payment, as a checkout would that knows nothing of sagas; always the same one."""

    async def pay() -> JSON:
        bridge = await connect_bridge(lab.stack.deployment, sender="Checkout")
        try:
            asked = Address(service=_PAYMENTS, command="processPayment")
            return await bridge.invoke(asked, {"orderId": "2"}, {"key": "checkout-2"}, timeout_s=5)
        finally:
            await bridge.close()

    return lab.thread.call(pay, 20)
