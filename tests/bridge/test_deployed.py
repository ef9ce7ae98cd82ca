"""A whole deployment behind NATS: workers, services, the relay, each in processes of their own."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator, Mapping
from functools import partial

import nats
import pytest

from bakeoff.bridge import Address
from bakeoff.bridge.bridges import ROLE, choose_bridge, connect_bridge
from bakeoff.bridge.commands import command_of
from bakeoff.bridge.naming import heard
from bakeoff.business import ONBOARDING_DAYS
from bakeoff.contract.lab import Lab, Started
from bakeoff.contract.stack_thread import StackThread
from bakeoff.errors import HandledError
from bakeoff.orders import FULFILMENT_DAYS, ORDER
from bakeoff.orders.model import Line, Order
from bakeoff.orders.shipping import confirm_delivery
from bakeoff.orders.taking import create_order
from bakeoff.outcome import Status
from bakeoff.plugins import Plugins
from bakeoff.processes import is_gone
from bakeoff.saga import JSON
from bakeoff.settings import ConfigClass, resolve
from bakeoff.stack import StackPlan
from tests.tiers import one_of

pytestmark = [pytest.mark.service, pytest.mark.slow]

#: ``inline`` keeps its sagas, and so its relay, in the process that serves them.
WITH_WORKERS = [name for name in Plugins().engine_names() if not Plugins().engine(name).info().in_process]
#: On Valkey Celery takes no timer that is longer than its lease, and waits here have three days. Elsewhere,
#: its saga log and choreography included, a timer is no message that somebody holds.
SETTINGS = {"celery": {"visibility_timeout": "300000"}}


@pytest.fixture(scope="module", params=one_of(WITH_WORKERS, "dramatiq"))
def lab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    engine = Plugins().engine(request.param)
    plan = StackPlan(
        engine=engine,
        settings=resolve(request.param, engine.info().settings, ConfigClass.CI, SETTINGS.get(request.param)),
        folder=tmp_path_factory.mktemp("deployed"),
        sagas=("bakeoff.orders", "bakeoff.business.onboarding"),
        bridge=choose_bridge("nats"),
    )
    thread = StackThread(plan)
    try:
        stack = thread.start()
        stack.world.add_orders(
            Order(order_id=str(number), lines=(Line("pen", 1, 150),)) for number in range(1, 9)
        )
        stack.world.set_stock({"pen": 100})
        yield Lab(stack, thread, "deployed")
    finally:
        thread.stop()


def _start(lab: Lab, order: str) -> Started:
    return lab.start(FULFILMENT_DAYS, order, workflow_id=f"order-{order}")


def _waiting(lab: Lab, order: str) -> Started:
    started = _start(lab, order)
    lab.until("it waits", lambda: started.describe().awaiting == "delivered")
    return started


def _unverified(lab: Lab, user: str) -> Started:
    started = lab.start(ONBOARDING_DAYS, user, workflow_id=f"onboarding-days-{user}")
    lab.until("it waits", lambda: started.describe().awaiting == "verified")
    return started


def _emit(lab: Lab, payload: JSON, event: str = "deliveryConfirmed") -> None:
    async def emit() -> None:
        bridge = await connect_bridge(lab.stack.deployment, sender="Outside")
        await bridge.emit(event, payload)
        await bridge.close()

    lab.thread.call(emit, 20)


def _ask(lab: Lab, address: Address, payload: JSON, parameter: Mapping[str, JSON]) -> JSON:
    """Send a command, as somebody would who knows nothing of sagas."""

    async def ask() -> JSON:
        bridge = await connect_bridge(lab.stack.deployment, sender="Shop")
        try:
            return await bridge.invoke(address, payload, parameter, timeout_s=10)
        finally:
            await bridge.close()

    return lab.thread.call(ask, 20)


def _publish(lab: Lab, message: bytes) -> None:
    """Publish bytes where the event ``deliveryConfirmed`` is heard, as a stranger might."""

    async def publish() -> None:
        client = await nats.connect(lab.stack.deployment.addresses[ROLE])
        subject = heard(lab.stack.deployment.bridge_prefix, "customMessage", "deliveryConfirmed")
        await client.jetstream().publish(subject.replace("*", "x"), message)
        await client.close()

    lab.thread.call(publish, 20)


def _relay_log(lab: Lab) -> str:
    assert lab.stack.relay is not None
    return "".join(child.log.read_text() for child in lab.stack.relay.children)


def _relay_pid(lab: Lab) -> int:
    """The newest process that announced itself as no worker and is none of the services."""
    services = {child.pid for group in lab.stack.services.values() for child in group.children}
    seen = [one.pid for one in lab.stack.world.workers("service") if one.pid not in services]
    return seen[-1]


def test_effects_are_the_services_and_attempts_the_workers(lab: Lab) -> None:
    end = lab.settle(ORDER, "1")

    assert end.outcome.status is Status.COMPLETED
    pids = {record.kind: set[int]() for record in end.trace.records}
    for record in end.trace.records:
        pids[record.kind].add(record.pid)
    services = {child.pid for group in lab.stack.services.values() for child in group.children}
    assert pids["effect"] <= services
    assert not pids["attempt"] & services
    assert len(pids["effect"]) == 4, "four services have acted"


def test_an_order_that_came_in_by_a_command_is_processed(lab: Lab) -> None:
    """Nobody here wrote it into the books but the service."""
    order: JSON = {"orderId": "new", "lines": [{"sku": "pen", "quantity": 2, "unitPriceMinor": 150}]}

    assert _ask(lab, command_of(create_order).address, order, {"key": "new:created"}) == {"orderId": "new"}
    end = lab.settle(ORDER, "new")
    assert end.outcome.status is Status.COMPLETED
    assert end.counts["reserve_inventory"] == 1


def test_a_decline_of_a_service_compensates_with_its_words(lab: Lab) -> None:
    lab.stack.world.set_stock({"pen": 0})
    try:
        end = lab.settle(ORDER, "2")
    finally:
        lab.stack.world.set_stock({"pen": 100})

    assert end.outcome.status is Status.COMPENSATED
    assert end.outcome.cause is not None
    assert (end.outcome.cause.type, end.outcome.cause.step) == ("BusinessError", "reserve_inventory")
    assert end.outcome.cause.message == "insufficient stock for pen (0 of 1)"
    assert end.counts == {"reserve_inventory": 1}


def test_an_event_signals_the_saga_of_its_order(lab: Lab) -> None:
    started = _waiting(lab, "3")
    _emit(lab, {"orderId": "unknown"})
    _emit(lab, {"orderId": "3"})
    end = started.settled()

    assert end.outcome.status is Status.COMPLETED
    assert end.outcome.results["delivered"] == {"orderId": "3"}
    assert "remind_carrier" not in end.story


def test_a_user_who_verifies_is_found_by_what_the_event_says(lab: Lab) -> None:
    """It comes from a page that is none of ours, and ends the wait of this user's saga alone."""
    ada, grace = (_unverified(lab, user) for user in ("ada", "grace"))
    _emit(lab, {"userId": "nobody"}, "userVerified")
    nobody = "event userVerified signals nobody: no saga 'onboarding-days-nobody' was started here"
    lab.until("it is reported", lambda: nobody in _relay_log(lab))
    _emit(lab, {"userId": "ada"}, "userVerified")
    end = ada.settled()

    assert end.outcome.status is Status.COMPLETED
    assert end.outcome.results["verified"] == {"userId": "ada"}
    assert end.story == ["send_verification", "provision_account", "send_welcome"]
    assert grace.describe().awaiting == "verified"
    _emit(lab, {"userId": "grace"}, "userVerified")
    assert grace.settled().outcome.results["verified"] == {"userId": "grace"}


def test_the_service_that_hears_of_the_delivery_signals_the_saga(lab: Lab) -> None:
    """By the event that its command is; before anything was shipped it declines."""
    confirm = partial(_ask, lab, command_of(confirm_delivery).address, {"orderId": "7"})
    with pytest.raises(HandledError, match="order 7 has no shipment under way"):
        confirm({"key": "too-soon"})
    started = _waiting(lab, "7")
    answer = confirm({"key": "carrier-7"})
    end = started.settled()

    assert answer == {"orderId": "7", "shipment_id": "sh-7-1"}
    assert end.outcome.status is Status.COMPLETED
    assert end.outcome.results["delivered"] == answer
    assert "remind_carrier" not in end.story


def test_an_event_that_no_engine_can_carry_is_reported_once(lab: Lab) -> None:
    """``1e999`` is JSON, and more than a number can be."""
    started = _waiting(lab, "8")
    _publish(
        lab,
        b'{"messageType":"customMessage","eventName":"deliveryConfirmed",'
        b'"payload":{"orderId":"8","weight":1e999}}',
    )
    reported = re.compile("event deliveryConfirmed signals nobody: order-8: the payload( of .+)? is not JSON")
    lab.until("it is reported", lambda: reported.search(_relay_log(lab)))
    _emit(lab, {"orderId": "8"})
    end = started.settled()

    assert end.outcome.results["delivered"] == {"orderId": "8"}
    lab.never("it came again", lambda: len(reported.findall(_relay_log(lab))) > 1, for_s=1.5)


def test_what_happens_while_the_relay_is_away_is_relayed_later(lab: Lab) -> None:
    started = _waiting(lab, "4")
    relay = _relay_pid(lab)
    os.kill(relay, signal.SIGKILL)
    lab.until("the relay is gone", lambda: is_gone(relay))
    _emit(lab, {"orderId": "4"})
    end = started.settled()

    assert end.outcome.status is Status.COMPLETED
    assert end.outcome.results["delivered"] == {"orderId": "4"}
    lab.until("another relay has announced itself", lambda: _relay_pid(lab) != relay)


def test_a_service_that_ends_in_order_answers_what_it_took(lab: Lab) -> None:
    """SIGTERM in the middle of a command: the answer still comes, and another process serves the next one."""
    started = lab.start(ORDER, "5", fates={"charge_payment:action": {"first": ["late:1"]}})
    started.until_done("charge_payment")  # the service says so, and has not answered yet
    (child,) = lab.stack.services["PaymentService"].children
    os.kill(child.pid, signal.SIGTERM)
    end = started.settled()

    assert end.outcome.status is Status.COMPLETED
    assert end.counts["charge_payment"] == 1
    group = lab.stack.services["PaymentService"]
    lab.until("another one is started", lambda: child not in group.children and group.children)
    lab.until("it serves", lambda: not group.not_ready())
    assert lab.settle(ORDER, "6").outcome.status is Status.COMPLETED
