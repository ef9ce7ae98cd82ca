"""An event that signals a saga is in the trace of whoever published it."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta

import pytest

from bakeoff.bridge.interface import Event
from bakeoff.bridge.relay import Relay, rules_of
from bakeoff.deployment import Deployment
from bakeoff.errors import WorkflowNotFoundError
from bakeoff.plugins import Plugins
from bakeoff.saga import JSON, Saga, Step, Wait
from bakeoff.settings import ConfigClass, resolve
from bakeoff.telemetry import Otlp
from bakeoff.telemetry.processes import tracing_of
from tests.telemetry.receiver import Receiver, Span, receiving

_TRACE, _PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
_DELIVERED = Event(
    name="deliveryConfirmed",
    payload={"workflowId": "parcel-1"},
    trace={"traceparent": f"00-{_TRACE}-{_PARENT}-01"},
)
_SAGA = Saga(
    "parcel",
    (
        Wait(name="delivered", timeout=timedelta(seconds=9), event="deliveryConfirmed"),
        Step(name="close", action=lambda call: None),
    ),
)


class Knows:
    """An engine's client that takes every signal, or knows no saga."""

    def __init__(self, problem: Exception | None = None) -> None:
        self._problem = problem

    async def signal(self, workflow_id: str, name: str, signal_id: str, payload: JSON) -> bool:
        """Take it."""
        if self._problem is not None:
            raise self._problem
        return True


def heard(client: Knows, event: Event) -> Span:
    """The span of a relay that hears an event."""
    settings = resolve("inline", Plugins().engine("inline").info().settings, ConfigClass.CI)

    async def run(receiver: Receiver) -> None:
        deployment = Deployment(
            engine="inline",
            settings=settings,
            addresses={},
            world_url="sqlite://",
            bridge="nats",
            otlp=Otlp(url=receiver.url, seed="x"),
        )
        tracing = tracing_of(deployment, "bakeoff-relay")
        assert tracing is not None
        try:
            await Relay(client=client, rules=rules_of([_SAGA]), tracing=tracing).hear(event)
        finally:
            tracing.close()

    with receiving() as receiver, contextlib.suppress(OSError):
        asyncio.run(run(receiver))
    (span,) = receiver.spans
    return span


def test_it_follows_the_event() -> None:
    span = heard(Knows(), _DELIVERED)

    assert (span.name, span.kind) == ("hear deliveryConfirmed", "CONSUMER")
    assert (span.trace, span.parent) == (_TRACE, _PARENT)
    assert span.attributes == {
        "messaging.system": "nats",
        "messaging.destination.name": "deliveryConfirmed",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "bakeoff.workflow_id": "parcel-1",
    }


@pytest.mark.parametrize(
    ("problem", "status"),
    [(OSError("the engine is away"), "error"), (WorkflowNotFoundError("no such saga"), "")],
    ids=["comes-again", "about-nobody"],
)
def test_an_event_that_comes_again_was_an_error(problem: Exception, status: str) -> None:
    """One that is about nobody is reported, and is none."""
    assert heard(Knows(problem), _DELIVERED).status == status
