"""Signals: the unique row of a wait, and the chain that follows it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from functools import partial
from typing import Any

from celery import Celery

from bakeoff.deployment import Deployment
from bakeoff.errors import SignalRejectedError, WorkflowNotFoundError
from bakeoff.registry import find_saga
from bakeoff.saga import JSON, Saga, Wait
from bakeoff.telemetry import with_headers
from bakeoff_celery import rows
from bakeoff_celery.state import to_json
from bakeoff_celery.waiting import publish_rest, with_payload


class Signaller:
    """Brings signals of one client."""

    def __init__(
        self,
        deployment: Deployment,
        sagas: Mapping[str, Saga],
        app: Celery,
        pool: Executor,
        redis: Any,
        outcome_key: Callable[[str], str],
    ) -> None:
        self._deployment = deployment
        self._sagas = dict(sagas)
        self._app = app
        self._pool = pool
        self._redis = redis
        self._outcome_key = outcome_key

    async def signal(self, workflow_id: str, name: str, signal_id: str, payload: JSON) -> bool:
        """Deliver a signal; see ``bakeoff.engine.Signals``.

        The first signal wins the row. If the saga waits already, the next chain is published here; if not,
        the saga finds the signal when it comes to the wait.
        """
        answer = to_json({"id": signal_id, "payload": payload}, f"{workflow_id}: the payload of {name!r}")
        saga, settled = await self._saga(workflow_id)
        wait = next((w for w in saga.elements if isinstance(w, Wait) and w.name == name), None)
        if wait is None:
            raise SignalRejectedError(f"{workflow_id}: saga {saga.name!r} never waits for {name!r}")
        key = rows.wait_key(self._deployment, workflow_id, name)
        if settled:
            row = rows.Signal.of(await self._redis.hgetall(key))
            if row.signal_id == signal_id:
                return False
            raise SignalRejectedError(f"{workflow_id}: {name!r} came too late")
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hsetnx(key, "answer", answer)
            pipe.expire(key, int(self._deployment.settings["result_expires"]))
            pipe.hgetall(key)
            won, _, found = await pipe.execute()
        row = rows.Signal.of(found)
        if row.signal_id != signal_id:
            raise SignalRejectedError(f"{workflow_id}: {name!r} came too late; the wait is over")
        if not won:
            row = await self._patiently(key, row)
        if row.ready and row.parked is not None:
            publish = partial(
                publish_rest,
                self._app,
                self._deployment,
                saga,
                wait,
                with_payload(row.parked, wait, row.payload),
            )
            await asyncio.get_running_loop().run_in_executor(self._pool, with_headers(row.headers, publish))
            await self._redis.hset(key, "published", rows.now())
        return bool(won)

    async def _patiently(self, key: str, row: rows.Signal) -> rows.Signal:
        """Give whoever publishes the time to say so; still ready afterwards means that it died."""
        patience = rows.PUBLISHER_PATIENCE_S
        while row.ready and patience > 0:
            await asyncio.sleep(0.05)
            patience -= 0.05
            row = rows.Signal.of(await self._redis.hgetall(key))
        return row

    async def _saga(self, workflow_id: str) -> tuple[Saga, bool]:
        """Return the saga of a workflow id and whether its forward direction has ended."""
        start, meta = await self._redis.mget(
            rows.start_key(self._deployment, workflow_id),
            self._outcome_key(self._deployment.native_id(workflow_id)),
        )
        if start is None:
            raise WorkflowNotFoundError(f"no saga {workflow_id!r} was started here")
        status = json.loads(meta)["status"] if meta is not None else "PENDING"
        return find_saga(rows.Start.of(start).saga, self._sagas), status in ("SUCCESS", "COMPENSATING")
