"""The client: idempotent start, outcome, signal, and what can be told about a saga."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from dramatiq.errors import BrokerConnectionError
from dramatiq.middleware import AgeLimit
from pika.exceptions import AMQPError  # type: ignore[import-untyped]
from redis.exceptions import RedisError

from bakeoff.deployment import Deployment
from bakeoff.errors import (
    ResultTimeoutError,
    ServerAwayError,
    SignalRejectedError,
    StartUnknownError,
    UnserialisableError,
    UsageError,
    WorkflowConflictError,
    WorkflowNotFoundError,
)
from bakeoff.outcome import DeadLetter, Description, Listed, Outcome, Status
from bakeoff.registry import load_sagas
from bakeoff.saga import JSON, Saga
from bakeoff.servers import server_away, silence_of
from bakeoff.telemetry import carried, with_headers
from bakeoff_dramatiq.actors import declare_saga
from bakeoff_dramatiq.broker import make_broker, queue_name
from bakeoff_dramatiq.context import Context
from bakeoff_dramatiq.headers import CarryHeaders
from bakeoff_dramatiq.letters import letters
from bakeoff_dramatiq.outcomes import Outcomes
from bakeoff_dramatiq.pipeline import forward
from bakeoff_dramatiq.redriving import judged, put_letter_back, redrive
from bakeoff_dramatiq.rows import Rows
from bakeoff_dramatiq.sightings import describe
from bakeoff_dramatiq.state import State, waits_of
from bakeoff_dramatiq.waits import go_on

#: Threads that talk to the broker for the asyncio side. RabbitMQ gets one connection for each.
THREADS = 4

#: Elements of a saga. Python's encoder gives up a little below 500 nested messages.
LONGEST = 400

#: What is raised when a server does not answer: by the rows, by Dramatiq, by RabbitMQ's library, by a socket.
SILENCES = (RedisError, BrokerConnectionError, AMQPError, OSError)

T = TypeVar("T")


class DramatiqClient:
    """One connected client. Dramatiq is synchronous, so its calls run in a few threads of our own."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._broker = make_broker(deployment)
        if deployment.otlp is not None:
            self._broker.add_middleware(CarryHeaders(), before=AgeLimit)
        self._rows = Rows(deployment)
        self._outcomes = Outcomes(deployment, self._rows)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="dramatiq-client")
        self._declaring = threading.Lock()
        self._contexts: dict[str, Context] = {}
        for saga in load_sagas(deployment.sagas).values():
            self._context(saga)

    async def start(self, saga: Saga, workflow_id: str, input: JSON) -> bool:
        """Write the unique row, publish the pipeline, note that it is published."""
        if len(saga.elements) > LONGEST:
            raise UsageError(
                f"saga {saga.name!r} has {len(saga.elements)} elements; in Dramatiq every message holds all "
                f"later ones, one inside the other, and more than {LONGEST} are too deep for JSON"
            )
        try:
            input = json.loads(json.dumps(input, allow_nan=False))
        except (TypeError, ValueError) as error:
            raise UnserialisableError(f"{workflow_id}: the input is not JSON: {error}") from error
        self._outcomes.expect(workflow_id)
        new = False
        try:
            new = await self._in_thread(self._start, saga, workflow_id, input)
        finally:
            if not new:
                self._outcomes.expect_no_more(workflow_id)
        return new

    def _start(self, saga: Saga, workflow_id: str, input: JSON) -> bool:
        try:
            word = self._rows.claim(saga, workflow_id, input)
            if word == "conflict":
                raise WorkflowConflictError(f"{workflow_id} exists already with another saga or input")
            if word in ("new", "again"):
                state: State = {"workflow_id": workflow_id, "input": input, "results": {}}
                forward(self._broker, self._context(saga).saga, state).run()
                self._rows.published(self._rows.saga_key(workflow_id))
            return word == "new"
        except SILENCES as error:
            away = self._away(error)
            raise StartUnknownError(
                f"{workflow_id}: nobody knows whether it started ({away}); repeat it"
            ) from error

    async def result(self, workflow_id: str, timeout_s: float) -> Outcome:
        """Wait for the outcome that the last actor stores."""
        try:
            return await self._outcomes.wait(workflow_id, timeout_s)
        except ResultTimeoutError:
            if (away := await silence_of(self._deployment, "results")) is None:
                raise
            message = f"{workflow_id}: whether it settled within {timeout_s:g} s nobody knows: {away}"
            raise ResultTimeoutError(message) from away

    async def signal(self, workflow_id: str, name: str, signal_id: str, payload: JSON) -> bool:
        """Give a signal to its wait; publishes the second pipeline if the saga is parked there."""
        try:
            payload = json.loads(json.dumps(payload, allow_nan=False))
        except (TypeError, ValueError) as error:
            raise UnserialisableError(f"{workflow_id}: the payload is not JSON: {error}") from error
        return await self._in_thread(self._signal, workflow_id, name, signal_id, payload)

    def _signal(self, workflow_id: str, name: str, signal_id: str, payload: JSON) -> bool:
        context = self._context_of(workflow_id)
        wait = next((wait for wait in waits_of(context.saga) if wait.name == name), None)
        if wait is None:
            raise SignalRejectedError(f"{workflow_id} never waits for {name!r}")
        word, state = self._rows.signal(workflow_id, name, signal_id, payload)
        if word in ("taken", "late", "unknown"):
            raise SignalRejectedError(f"{workflow_id}: {name!r} came too late")
        if state is not None:
            go_on(context, wait, state, payload)
            self._rows.published(self._rows.signal_key(workflow_id, name))
        return word in ("go", "kept")

    async def describe(self, workflow_id: str) -> Description:
        """Tell where the saga is, as far as the broker lets us see."""
        return await self._in_thread(self._describe, workflow_id)

    def _describe(self, workflow_id: str) -> Description:
        return describe(self._context_of(workflow_id), workflow_id)

    async def list_sagas(self, status: Status | None = None, limit: int = 100) -> Sequence[Listed]:
        """Read every row of a start, newest first."""
        return await self._in_thread(self._list, status, limit)

    def _list(self, status: Status | None, limit: int) -> Sequence[Listed]:
        newest = sorted(self._rows.all(), key=lambda item: -int(item[1].get("started_at", 0)))
        listed = [
            Listed(workflow_id, status_of(row), row.get("saga"), int(row.get("started_at", 0)) / 1000)
            for workflow_id, row in newest
        ]
        return [item for item in listed if status is None or item.status is status][:limit]

    async def redrive(self, workflow_id: str, step: str | None = None) -> str:
        """Publish once more what a saga goes on with."""
        return await self._in_thread(self._redrive, workflow_id, step)

    def _redrive(self, workflow_id: str, step: str | None) -> str:
        return redrive(self._context_of(workflow_id), workflow_id, step)

    async def dead_letters(self, limit: int) -> Sequence[DeadLetter]:
        """What lies in the queue's ``.XQ``."""
        return await self._in_thread(self._dead_letters, limit)

    def _dead_letters(self, limit: int) -> Sequence[DeadLetter]:
        found = letters(self._broker, queue_name(self._deployment), limit)
        return [judged(self._contexts, self._rows, self._broker, letter) for letter in found]

    async def requeue(self, message_id: str) -> DeadLetter:
        """Put a dead letter back into its queue."""
        return await self._in_thread(self._requeue, message_id)

    def _requeue(self, message_id: str) -> DeadLetter:
        queue = queue_name(self._deployment)
        return put_letter_back(self._contexts, self._rows, self._broker, queue, message_id)

    async def close(self) -> None:
        """Close connections and threads."""
        await self._outcomes.close()
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._threads.shutdown()
        self._broker.close()
        self._rows.close()

    def _context_of(self, workflow_id: str) -> Context:
        row = self._rows.row(workflow_id)
        if not row:
            raise WorkflowNotFoundError(f"no saga {workflow_id!r} was started here")
        try:
            return self._contexts[row["saga"]]
        except KeyError:
            raise WorkflowNotFoundError(
                f"{workflow_id} belongs to the saga {row['saga']!r}, which this client does not know"
            ) from None

    def _context(self, saga: Saga) -> Context:
        """Declare the saga's actors once; a client needs them to name its messages."""
        with self._declaring:
            if saga.name not in self._contexts:
                context = Context(self._broker, self._rows, saga, queue_name(self._deployment))
                declare_saga(context)
                self._contexts[saga.name] = context
            return self._contexts[saga.name]

    async def _in_thread(self, function: Callable[..., T], *args: object) -> T:
        try:
            work = with_headers(carried(), partial(function, *args))
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except SILENCES as error:
            raise self._away(error) from error

    def _away(self, error: Exception) -> ServerAwayError:
        """Dramatiq wraps what the broker did; errors of the rows come as they are."""
        at_broker = isinstance(error, BrokerConnectionError | AMQPError)
        return server_away(self._deployment, "broker" if at_broker else "results", error)


def status_of(row: dict[str, str]) -> Status:
    """Status that a saga's row tells."""
    return Status(json.loads(row["outcome"])[1]["status"]) if "outcome" in row else Status.RUNNING
