"""A client whose sagas are traced, from their start to the outcome that it learns."""

from __future__ import annotations

import asyncio

from bakeoff.engine import EngineClient
from bakeoff.errors import StartUnknownError
from bakeoff.outcome import Outcome
from bakeoff.saga import JSON, Saga
from bakeoff.telemetry.carrying import carrying
from bakeoff.telemetry.spans import Span
from bakeoff.telemetry.tracing import Tracing


class TracedClient:
    """Stands before an engine's client and has all its other powers.

    A saga whose outcome nobody asks for has a span until the client is closed; one that this client did not
    start has none.
    """

    def __init__(self, client: EngineClient, tracing: Tracing) -> None:
        self._client = client
        self._tracing = tracing
        self._open: dict[str, Span] = {}
        for name in dir(client):  # attributes of its own: protocols are looked for without __getattr__
            if not name.startswith("_") and not hasattr(self, name):
                setattr(self, name, getattr(client, name))

    async def start(self, saga: Saga, workflow_id: str, input: JSON) -> bool:
        """Start a saga, with its context for the engine to carry."""
        known = workflow_id in self._open
        span = self._open.setdefault(workflow_id, self._tracing.saga(saga.name, workflow_id))
        fresh = kept = False
        try:
            with carrying(span.headers):
                fresh = await self._client.start(saga, workflow_id, input)
            span.happened("accepted")
        except StartUnknownError:
            kept = True  # it may run, and a start that is repeated is the same one
            raise
        finally:
            if not (fresh or known or kept):
                self._open.pop(workflow_id, None)
        return fresh

    async def result(self, workflow_id: str, timeout_s: float) -> Outcome:
        """Wait for the outcome, which ends the saga's span."""
        outcome = await self._client.result(workflow_id, timeout_s)
        span = self._open.pop(workflow_id, None)
        if span is not None:
            self._tracing.over(span, outcome)
        return outcome

    async def close(self) -> None:
        """Let go of the client, then export what is left."""
        try:
            await self._client.close()
        finally:
            while self._open:
                self._tracing.over(self._open.popitem()[1])
            await asyncio.to_thread(self._tracing.close)
