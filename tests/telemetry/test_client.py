"""What stands before a client: everything that the client can, and one span per saga that it started."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

import pytest

from bakeoff.deployment import Deployment
from bakeoff.engine import Cancels, Describes, EngineClient, HasEventHistory, Lists, Signals
from bakeoff.errors import ResultTimeoutError, StartUnknownError, WorkflowConflictError
from bakeoff.orders import ORDER
from bakeoff.outcome import Listed, Outcome, Status
from bakeoff.plugins import Plugins
from bakeoff.saga import JSON, Saga
from bakeoff.settings import ConfigClass, resolve
from bakeoff.telemetry import Otlp, carried
from bakeoff.telemetry.client import TracedClient
from bakeoff.telemetry.processes import tracing_of
from tests.telemetry.receiver import Receiver, receiving


class Clerk:
    """A client that answers as it is told to; it can list, and nothing else."""

    def __init__(self, *answers: bool | Exception) -> None:
        self._answers = list(answers)
        self.carried: list[object] = []
        self.closed = False

    async def start(self, saga: Saga, workflow_id: str, input: JSON) -> bool:
        """Answer the next one."""
        self.carried.append(carried())
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def result(self, workflow_id: str, timeout_s: float) -> Outcome:
        """Completed, unless nobody waits."""
        if timeout_s == 0:
            raise ResultTimeoutError("not yet")
        return Outcome(Status.COMPLETED)

    async def list_sagas(self, status: Status | None = None, limit: int = 100) -> Sequence[Listed]:
        """None."""
        return []

    async def close(self) -> None:
        """Note it."""
        self.closed = True


def traced(clerk: Clerk, url: str) -> TracedClient:
    """The clerk behind spans."""
    settings = resolve("inline", Plugins().engine("inline").info().settings, ConfigClass.CI)
    otlp = Otlp(url=url, seed="seed")
    deployment = Deployment(
        engine="inline", settings=settings, addresses={}, world_url="sqlite://", otlp=otlp
    )
    tracing = tracing_of(deployment, "client")
    assert tracing is not None
    return TracedClient(clerk, tracing)


def spans_of(clerk: Clerk, *, starts: int, ask: bool = True, close: bool = True) -> Receiver:
    """Start a saga so often, ask for its outcome, close."""

    async def run(url: str) -> None:
        client = traced(clerk, url)
        for _ in range(starts):
            with contextlib.suppress(StartUnknownError, WorkflowConflictError):
                await client.start(ORDER, "order-1", None)
        if ask:
            with pytest.raises(ResultTimeoutError):
                await client.result("order-1", 0)
            await client.result("order-1", 1)
            await client.result("order-1", 1)
        await client.close()

    with receiving() as receiver:
        asyncio.run(run(receiver.url))
    assert clerk.closed
    return receiver


def test_it_can_what_the_client_can_and_nothing_else() -> None:
    client = traced(Clerk(), "http://127.0.0.1:9")

    assert isinstance(client, EngineClient)
    assert isinstance(client, Lists)
    assert not any(isinstance(client, other) for other in (Signals, Cancels, Describes, HasEventHistory))


def test_one_span_however_often_the_outcome_is_asked_for() -> None:
    clerk = Clerk(True)
    (span,) = spans_of(clerk, starts=1).spans

    assert (span.name, span.attributes["bakeoff.outcome"]) == ("saga order", "completed")
    (headers,) = clerk.carried
    assert isinstance(headers, dict)
    assert headers["traceparent"].startswith(f"00-{span.trace}-{span.id}-")
    assert carried() is None


def test_a_start_that_is_repeated_is_the_same_saga() -> None:
    """Nobody knew whether the first one was heard."""
    (span,) = spans_of(Clerk(StartUnknownError("gone"), True, False), starts=3).spans

    assert span.attributes["bakeoff.outcome"] == "completed"


@pytest.mark.parametrize("answer", [False, WorkflowConflictError("another one")], ids=["known", "conflict"])
def test_a_saga_that_somebody_else_started_has_no_span_here(answer: bool | Exception) -> None:
    assert spans_of(Clerk(answer), starts=1).spans == []


def test_a_client_that_is_closed_early_says_that_it_knows_no_outcome() -> None:
    (span,) = spans_of(Clerk(True), starts=1, ask=False).spans

    assert "bakeoff.outcome" not in span.attributes
    assert span.status == ""
