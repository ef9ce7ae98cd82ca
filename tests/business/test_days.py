"""Processes that take days, on a server whose clock moves when it is told to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bakeoff.business import APPROVAL_DAYS, BILLING_DAYS, ONBOARDING_DAYS
from bakeoff.contract.lab import Lab, Started
from bakeoff.contract.stack_thread import StackThread
from bakeoff.engine import MovesClock, SkipsTime
from bakeoff.orders import FULFILMENT_DAYS
from bakeoff.orders.model import Line, Order
from bakeoff.outcome import Status
from bakeoff.plugins import Plugins
from bakeoff.settings import ConfigClass, resolve
from bakeoff.stack import StackPlan

pytestmark = [pytest.mark.service, pytest.mark.slow]

_DAY_S = 86_400.0


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    engine = Plugins().engine("temporal")
    assert isinstance(engine, SkipsTime)
    settings = engine.skipping_time(resolve("temporal", engine.info().settings, ConfigClass.CI))
    folder = tmp_path_factory.mktemp("days")
    thread = StackThread(
        StackPlan(
            engine=engine,
            settings=settings,
            folder=folder,
            sagas=("bakeoff.orders", "bakeoff.business"),
        )
    )
    try:
        stack = thread.start()
        stack.world.add_orders([Order(order_id="7", lines=(Line("pen", 1, 150),))])
        stack.world.set_stock({"pen": 10})
        yield Lab(stack, thread, "days")
    finally:
        thread.stop()


def _pass(lab: Lab, days: float) -> None:
    client = lab.stack.client
    assert isinstance(client, MovesClock)
    lab.thread.call(lambda: client.skip_time(days * _DAY_S), 30)


def _waits_for(started: Started, wait: str) -> None:
    started.lab.until(f"it waits for {wait}", lambda: started.describe().awaiting == wait)


def test_who_never_verifies_is_reminded_and_forgotten(lab: Lab) -> None:
    user = lab.start(ONBOARDING_DAYS, "user-1")
    _waits_for(user, "verified")
    _pass(lab, 0.9)
    lab.never("reminded too early", lambda: user.trace().attempts("remind"), for_s=0.5)
    _pass(lab, 0.2)
    user.until_done("remind")
    _waits_for(user, "verified_late")
    _pass(lab, 3.1)
    end = user.settled()

    assert end.outcome.status is Status.COMPENSATED
    assert end.outcome.cause is not None
    assert (end.outcome.cause.type, end.outcome.cause.step) == ("WaitTimeout", "verified_late")
    assert end.story == ["send_verification", "remind", "undo send_verification"]


def test_a_charge_is_tried_on_the_dunning_schedule_and_then_escalated(lab: Lab) -> None:
    invoice = lab.start(BILLING_DAYS, "user-1:2026-11", fates={"charge_invoice:action": {"then": "fault"}})
    invoice.until_attempted("charge_invoice")
    for attempt, days in enumerate((1, 2, 4, 7), 2):  # of the schedule, each pause after its attempt
        lab.never(
            "tried too early",
            lambda count=attempt: len(invoice.trace().attempts("charge_invoice")) >= count,  # type: ignore[misc]
            for_s=0.3,
        )
        _pass(lab, days + 0.01)
        invoice.until_attempted("charge_invoice", attempt)
    end = invoice.settled()

    assert end.outcome.status is Status.COMPLETED
    assert end.story == [
        "generate_invoice",
        "undo charge_invoice (nothing)",
        "escalate_invoice",
        "suspend_account",
    ]


def test_silence_takes_a_decision_to_the_superior(lab: Lab) -> None:
    request = lab.start(APPROVAL_DAYS, "request-1")
    _waits_for(request, "decision")
    _pass(lab, 1.1)
    request.until_done("escalate_request")
    request.signal("decision", {"decision": "approve", "by": "Grace", "at": "2026-11-28T12:00:00+00:00"})
    end = request.settled()

    assert end.outcome.status is Status.COMPLETED
    assert end.outcome.results["record_decision"] == {
        "requestId": "request-1",
        "decision": "approve",
        "by": "Grace",
        "at": "2026-11-28T12:00:00+00:00",
    }


def test_a_parcel_that_never_arrives_is_claimed(lab: Lab) -> None:
    order = lab.start(FULFILMENT_DAYS, "7", workflow_id="order-7")
    _waits_for(order, "delivered")
    _pass(lab, 3.1)
    order.until_done("remind_carrier")
    _waits_for(order, "delivered_late")
    _pass(lab, 3.1)
    end = order.settled()

    assert end.outcome.status is Status.COMPLETED
    assert end.story[-3:] == ["remind_carrier", "file_claim", "close_order"]
