"""Waiting for outcomes: one subscription and one asker for any number of waiting sagas."""

from __future__ import annotations

import asyncio
import contextlib
import json

from redis.exceptions import RedisError

from bakeoff.deployment import Deployment
from bakeoff.errors import ResultTimeoutError, WorkflowNotFoundError
from bakeoff.outcome import Outcome
from bakeoff_dramatiq.connection import async_redis_client, results_address
from bakeoff_dramatiq.rows import Rows

#: Messages are missed while the subscription's connection is down, so all rows are read now and then.
RECHECK_S = 2.0
#: New waiters are collected this long before their rows are read together; many are served by then.
_GATHER_S = 0.01
_PAUSE_S = 0.1
_CANCEL_AGAIN_S = 0.1
#: Sagas started here of which an announcement is remembered until somebody asks.
_REMEMBERED = 10_000
_UNEXPECTED = object()


class Outcomes:
    """Hands outcomes to waiting callers; everything happens on one event loop."""

    def __init__(self, deployment: Deployment, rows: Rows) -> None:
        self._client = async_redis_client(results_address(deployment), deployment.settings)
        self._rows = rows
        self._waiting: dict[str, set[asyncio.Future[Outcome]]] = {}
        self._expected: dict[str, Outcome | None] = {}
        self._unread: set[str] = set()
        self._wake = asyncio.Event()
        self._subscribed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def wait(self, workflow_id: str, timeout_s: float) -> Outcome:
        """Wait for one outcome; see ``EngineClient.result``."""
        self._begin()
        expected = self._expected.pop(workflow_id, _UNEXPECTED)
        if isinstance(expected, Outcome):
            return expected
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(workflow_id, set()).add(future)
        if expected is _UNEXPECTED:
            self._unread.add(workflow_id)
            self._wake.set()
        try:
            async with asyncio.timeout(timeout_s):
                return await future
        except TimeoutError:
            raise ResultTimeoutError(f"{workflow_id} has not settled within {timeout_s:g} s") from None
        finally:
            self._forget(workflow_id, future)

    def expect(self, workflow_id: str) -> None:
        """Note that this client is about to start a saga: its announcement cannot have been missed.

        So whoever waits for it need not ask for its row.
        """
        self._begin()
        if self._subscribed.is_set():
            self._expected[workflow_id] = None
            if len(self._expected) > _REMEMBERED:
                del self._expected[next(iter(self._expected))]

    def expect_no_more(self, workflow_id: str) -> None:
        """Take that back: the saga existed before, or nobody knows."""
        self._expected.pop(workflow_id, None)

    def _begin(self) -> None:
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._ask())]

    async def close(self) -> None:
        """Stop both tasks and close their connections."""
        # redis-py swallows a cancellation that arrives while it connects, so one may not be enough.
        while pending := [task for task in self._tasks if not task.done()]:
            for task in pending:
                task.cancel()
            await asyncio.wait(pending, timeout=_CANCEL_AGAIN_S)
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.aclose()

    async def _listen(self) -> None:
        """Resolve what the last actors publish; after a broken connection everything is read again."""
        while True:
            with contextlib.suppress(RedisError, OSError):
                async with self._client.pubsub() as subscription:
                    await subscription.subscribe(self._rows.channel)
                    async for message in subscription.listen():
                        if message["type"] == "subscribe":
                            # Also after a break, in which anything may have been missed.
                            self._expected.clear()
                            self._subscribed.set()
                            self._read_all()
                        elif message["type"] == "message":
                            workflow_id, outcome = json.loads(message["data"])
                            self._resolve(workflow_id, Outcome.from_json(outcome))
            await asyncio.sleep(_PAUSE_S)

    async def _ask(self) -> None:
        """Read the rows of new waiters soon, and those of all from time to time."""
        await self._subscribed.wait()
        while True:
            try:
                async with asyncio.timeout(RECHECK_S):
                    await self._wake.wait()
                    await asyncio.sleep(_GATHER_S)
            except TimeoutError:
                self._read_all()
            self._wake.clear()
            unread, self._unread = list(self._unread & self._waiting.keys()), set()
            try:
                await self._read(unread)
            except (RedisError, OSError):
                self._unread.update(unread)
                await asyncio.sleep(_PAUSE_S)
                self._wake.set()

    async def _read(self, workflow_ids: list[str]) -> None:
        if not workflow_ids:
            return
        async with self._client.pipeline(transaction=False) as pipe:
            for workflow_id in workflow_ids:
                pipe.hmget(self._rows.saga_key(workflow_id), "digest", "outcome")
            rows = await pipe.execute()
        for workflow_id, (digest, outcome) in zip(workflow_ids, rows, strict=True):
            if digest is None:
                self._resolve(workflow_id, WorkflowNotFoundError(f"no saga {workflow_id!r} was started here"))
            elif outcome is not None:
                self._resolve(workflow_id, Outcome.from_json(json.loads(outcome)[1]))

    def _read_all(self) -> None:
        self._unread.update(self._waiting)
        self._wake.set()

    def _resolve(self, workflow_id: str, outcome: Outcome | WorkflowNotFoundError) -> None:
        if workflow_id in self._expected and isinstance(outcome, Outcome):
            self._expected[workflow_id] = outcome
        for future in self._waiting.pop(workflow_id, ()):
            if future.done():
                continue
            if isinstance(outcome, Outcome):
                future.set_result(outcome)
            else:
                future.set_exception(outcome)

    def _forget(self, workflow_id: str, future: asyncio.Future[Outcome]) -> None:
        futures = self._waiting.get(workflow_id)
        if futures is not None:
            futures.discard(future)
            if not futures:
                del self._waiting[workflow_id]
