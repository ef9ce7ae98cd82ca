"""One trace per saga, the same on every engine, as a receiver gets it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from bakeoff.bridge.bridges import ChosenBridge
from tests.telemetry.receiver import Receiver, Span, receiving
from tests.telemetry.traced import (
    DECLINED,
    GROUPED,
    PARKED,
    PLAIN,
    RETRIED,
    of_saga,
    plan_for,
    run_all,
    run_orders,
    tree,
)
from tests.tiers import more, one_of

pytestmark = [pytest.mark.service, pytest.mark.slow]

#: ``(parent, span)`` of the two sagas without a bridge.
FORWARD = [
    ("", "saga order"),
    ("saga order", "step reserve_inventory"),
    *[("saga order", "step charge_payment")] * 3,
    ("saga order", "step create_shipment"),
    ("saga order", "step send_confirmation"),
]
BACK_AGAIN = [
    ("", "saga order"),
    ("saga order", "step reserve_inventory"),
    ("saga order", "step charge_payment"),
    ("saga order", "undo reserve_inventory"),
]
MESSAGING = {
    "messaging.system",
    "messaging.operation.name",
    "messaging.operation.type",
}
OF_SAGA = {"bakeoff.engine", "bakeoff.saga", "bakeoff.workflow_id", "bakeoff.outcome", *MESSAGING}
OF_CALL = {"bakeoff.workflow_id", "bakeoff.step", "bakeoff.direction", "bakeoff.attempt"}
OF_STEP = {"bakeoff.engine", "bakeoff.saga", "bakeoff.context", *OF_CALL, *MESSAGING}
OF_COMMAND = {"rpc.system.name", "rpc.method", *OF_CALL}
ON_QUEUES = ["celery", "celery-sagalog", "choreography", "dramatiq"]


@contextmanager
def exported_at_the_end() -> Iterator[Receiver]:
    """A receiver that gets nothing before a process ends: what it got was flushed by its own shutdown."""
    with pytest.MonkeyPatch.context() as patch, receiving() as receiver:
        patch.setenv("OTEL_BSP_SCHEDULE_DELAY", "600000")
        yield receiver


@pytest.fixture(scope="module", params=["inline", *one_of(ON_QUEUES, "dramatiq"), "temporal"])
def engine(request: pytest.FixtureRequest) -> str:
    """Each in its turn."""
    return str(request.param)


@pytest.fixture(scope="module")
def receiver(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Receiver:
    """What it exported."""
    with exported_at_the_end() as receiver:
        asyncio.run(run_all(plan_for(engine, tmp_path_factory.mktemp(engine), receiver.url)))
    return receiver


def test_a_saga_is_one_trace_on_every_engine(engine: str, receiver: Receiver) -> None:
    """The context that ties a step to its saga has come with the engine's own messages."""
    assert tree(receiver, RETRIED) == FORWARD
    assert tree(receiver, DECLINED) == BACK_AGAIN
    for workflow_id in (RETRIED, DECLINED):
        saga, *steps = of_saga(receiver, workflow_id)
        assert {saga.trace} == {span.trace for span in steps}
        assert (saga.kind, saga.service, saga.events) == ("CLIENT", "bakeoff-client", ("accepted",))
        assert {(span.kind, span.service) for span in steps} == {("CONSUMER", "bakeoff-worker")}
        assert {span.attributes["bakeoff.context"] for span in steps} == {"carried"}
        assert {span.attributes["bakeoff.engine"] for span in (saga, *steps)} == {engine}
        assert _keys(saga) == OF_SAGA
        assert all(_keys(span) == OF_STEP for span in steps)
        assert saga.end_ns >= max(span.end_ns for span in steps)


def test_each_attempt_has_a_span_that_says_how_it_ended(receiver: Receiver) -> None:
    """Retries, a decline, and a compensation."""
    retried = [span for span in of_saga(receiver, RETRIED) if span.name == "step charge_payment"]
    assert [span.attributes["bakeoff.attempt"] for span in retried] == [1, 2, 3]
    assert [span.status for span in retried] == ["error", "error", ""]
    assert [span.attributes.get("error.type") for span in retried] == ["InjectedFault", "InjectedFault", None]
    assert [span.events for span in retried] == [("exception",), ("exception",), ()]
    saga, _, charge, undo = of_saga(receiver, DECLINED)
    assert (charge.status, charge.attributes["error.type"]) == ("error", "BusinessError")
    assert (undo.status, undo.attributes["bakeoff.direction"]) == ("", "compensation")
    assert (saga.status, saga.attributes["bakeoff.outcome"]) == ("error", "compensated")
    assert of_saga(receiver, RETRIED)[0].attributes["bakeoff.outcome"] == "completed"


def test_groups_and_waits_are_in_the_trace(receiver: Receiver) -> None:
    """Whatever the engine puts a saga together of, and wherever it lies while nothing runs."""
    grouped, parked = of_saga(receiver, GROUPED), of_saga(receiver, PARKED)

    members = {"step book_flight", "step left", "step middle", "step right", "step after"}
    assert {(parent, name) for parent, name in tree(receiver, GROUPED) if parent} == {
        ("saga parallel", name) for name in members
    }
    assert tree(receiver, PARKED) == [
        ("", "saga approval"),
        ("saga approval", "step book_flight"),
        ("saga approval", "step after"),
    ]
    assert {span.attributes["bakeoff.context"] for span in (*grouped[1:], *parked[1:])} == {"carried"}


@pytest.fixture(scope="module", params=[*map(more, ("inline", "temporal")), *one_of(ON_QUEUES, "dramatiq")])
def over_a_bridge(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Receiver:
    """What two sagas exported that wait for an event of their own service; one does not come so far."""
    engine = str(request.param)
    with exported_at_the_end() as receiver:
        folder = tmp_path_factory.mktemp(f"{engine}-over")
        plan = plan_for(engine, folder, receiver.url, bridge=ChosenBridge("nats"))
        plan = replace(plan, sagas=(*plan.sagas, "tests.telemetry.heard"))
        asyncio.run(run_orders(plan, [DECLINED, PLAIN], saga="heard", linger_s=1.0))
    return receiver


def test_a_bridge_hands_the_trace_on_to_services_and_events(over_a_bridge: Receiver) -> None:
    """Whoever acts in the end is in the same trace, in a process of its own, on every engine."""
    receiver = over_a_bridge
    declined = tree(receiver, DECLINED)
    assert [pair for pair in declined if "saga heard" in pair] == [
        (parent.replace("order", "heard"), name.replace("saga order", "saga heard"))
        for parent, name in BACK_AGAIN
    ]
    for step, command, event in (
        ("step reserve_inventory", "InventoryService.reserveInventory", "inventoryReserved"),
        ("undo reserve_inventory", "InventoryService.releaseInventory", None),
        ("step charge_payment", "PaymentService.processPayment", None),
    ):
        assert (step, f"command {command}") in declined
        assert (f"command {command}", f"serve {command}") in declined
        emitted = [name for parent, name in declined if parent == f"serve {command}"]
        assert emitted == ([f"emit {event}"] if event else [])
    spans = {span.name: span for span in of_saga(receiver, DECLINED)}
    asked, acted = (
        spans["command PaymentService.processPayment"],
        spans["serve PaymentService.processPayment"],
    )
    assert (asked.kind, asked.service) == ("CLIENT", "bakeoff-worker")
    assert (acted.kind, acted.service) == ("SERVER", "PaymentService")
    assert _keys(asked) == _keys(acted) == OF_COMMAND
    assert asked.attributes["error.type"] == acted.attributes["error.type"] == "BusinessError"
    assert spans["emit inventoryReserved"].kind == "PRODUCER"
    assert len({span.trace for span in of_saga(receiver, DECLINED)}) == 1


def test_an_event_that_a_saga_waits_for_stays_in_its_trace(over_a_bridge: Receiver) -> None:
    """From the step over the service to the relay, which signals the saga that it came from."""
    paid = tree(over_a_bridge, PLAIN)

    assert [pair for pair in paid if "saga heard" in pair] == [
        ("", "saga heard"),
        ("saga heard", "step reserve_inventory"),
        ("saga heard", "step charge_payment"),
        ("saga heard", "step send_confirmation"),
    ]
    for link in (
        ("step charge_payment", "command PaymentService.processPayment"),
        ("command PaymentService.processPayment", "serve PaymentService.processPayment"),
        ("serve PaymentService.processPayment", "emit paymentProcessed"),
        ("emit paymentProcessed", "hear paymentProcessed"),
    ):
        assert paid.count(link) == 1
    spans = {span.name: span for span in of_saga(over_a_bridge, PLAIN)}
    relayed = spans["hear paymentProcessed"]
    assert (relayed.kind, relayed.service, relayed.status) == ("CONSUMER", "bakeoff-relay", ""), relayed
    assert relayed.attributes["bakeoff.workflow_id"] == PLAIN
    assert spans["step send_confirmation"].start_ns >= spans["emit paymentProcessed"].start_ns
    assert len({span.trace for span in spans.values()}) == 1


def _keys(span: Span) -> set[str]:
    return set(span.attributes) - {"error.type"}
