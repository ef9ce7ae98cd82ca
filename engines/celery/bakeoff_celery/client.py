"""The client: starts sagas, waits for outcomes, brings signals, tells what can be told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar
from uuid import uuid4

from celery import Celery
from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import RedisError

from bakeoff.deployment import Deployment
from bakeoff.errors import (
    ResultTimeoutError,
    StartUnknownError,
    WorkflowNotFoundError,
)
from bakeoff.outcome import Description, Listed, Outcome, Status
from bakeoff.registry import find_saga
from bakeoff.saga import JSON, Saga
from bakeoff.schedules import Schedule
from bakeoff.servers import silence_of
from bakeoff.telemetry import carried, with_headers
from bakeoff.timetable import Timetable
from bakeoff_celery import rows
from bakeoff_celery.app import make_app
from bakeoff_celery.away import SILENCES, away_by, told
from bakeoff_celery.backend import redis_of
from bakeoff_celery.headers import send_headers
from bakeoff_celery.inspection import Inspection
from bakeoff_celery.leases import check_leases
from bakeoff_celery.outcomes import Outcomes
from bakeoff_celery.redriving import Redriver
from bakeoff_celery.signalling import Signaller
from bakeoff_celery.starting import create, is_published, publish
from bakeoff_celery.state import State, to_json

#: Kombu publishes in threads; one is enough for a broker nearby, more overlap with one far away.
_PUBLISHERS = 4
#: To the result backend; a thousand waiting callers take turns.
_CONNECTIONS = 16
#: Seconds between two tries while the result backend cannot be reached.
_AWAY_S = 0.2

T = TypeVar("T")


class CeleryClient:
    """See ``bakeoff.engine.EngineClient``; belongs to the event loop in which it was made."""

    def __init__(self, deployment: Deployment, sagas: Mapping[str, Saga]) -> None:
        self._deployment = deployment
        self._sagas = dict(sagas)
        self._app: Celery = make_app(deployment, sagas, f"{deployment.prefix}bakeoff-{uuid4().hex}")
        # The threads that publish share one backend, which chords need.
        self._app.conf.result_backend_thread_safe = True
        self._pool = ThreadPoolExecutor(_PUBLISHERS, thread_name_prefix="celery-publish")
        address = deployment.addresses.get("results", deployment.addresses["broker"])
        pool: Any = BlockingConnectionPool.from_url(address, max_connections=_CONNECTIONS, timeout=None)
        self._redis: Any = Redis.from_pool(pool)
        self._end_headers = send_headers() if deployment.otlp is not None else None
        self._outcomes = Outcomes(self._redis, deployment.prefix)
        self._inspection = Inspection(deployment, self._sagas, self._app, self._redis, self._outcomes.key)
        self._signaller = Signaller(
            deployment, self._sagas, self._app, self._pool, self._redis, self._outcomes.key
        )
        self._redriver = Redriver(
            deployment,
            self._sagas,
            self._app,
            self._pool,
            self._redis,
            self._outcomes.key,
            self._inspection,
        )

    async def start(self, saga: Saga, workflow_id: str, input: JSON) -> bool:
        """Start a saga: one unique row, then the chain."""
        saga = find_saga(saga.name, self._sagas)
        text = to_json(input, f"{workflow_id}: the input")
        check_leases(saga, self._deployment.settings)
        row = rows.Start.new(saga.name, text)
        key = rows.start_key(self._deployment, workflow_id)
        state: State = {"id": workflow_id, "input": input, "results": {}}
        native_id = self._deployment.native_id(workflow_id)
        self._outcomes.expect(native_id)
        created = False
        try:
            # Row and chain in one: one hop to a thread is what a start costs.
            created = await self._in_thread(create, self._app, self._deployment, row, saga, state)
            if not created and not await self._known(key, row, workflow_id):
                await self._in_thread(publish, self._app, self._deployment, row, saga, state)
        except SILENCES as error:
            away = away_by(self._deployment, error)
            raise StartUnknownError(
                f"{workflow_id}: nobody knows whether it started ({away}); repeat it"
            ) from error
        finally:
            if not created:
                self._outcomes.expect_no_more(native_id)
        return created

    async def _in_thread(self, function: Callable[..., T], *args: object) -> T:
        work = with_headers(carried(), partial(function, *args))
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    async def _known(self, key: str, row: rows.Start, workflow_id: str) -> bool:
        """Tell whether the saga of an existing row is published; wait for a start that is going on."""
        patience = rows.PUBLISHER_PATIENCE_S
        while True:
            text = await self._redis.get(key)
            known = rows.Start.of(text) if text is not None else row
            if is_published(known, row, workflow_id):
                return True
            if patience <= 0:
                return False  # whoever wrote the row died before it published
            patience -= 0.05
            await asyncio.sleep(0.05)

    async def result(self, workflow_id: str, timeout_s: float) -> Outcome:
        """Wait for the terminal outcome."""
        native_id = self._deployment.native_id(workflow_id)
        key = rows.start_key(self._deployment, workflow_id)
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                outcome = await self._outcomes.wait(native_id, deadline - time.monotonic(), check=key)
            except ResultTimeoutError:
                if (away := await silence_of(self._deployment, "results")) is not None:
                    message = f"{workflow_id}: whether it settled within {timeout_s:g} s nobody knows: {away}"
                    raise ResultTimeoutError(message) from away
                raise ResultTimeoutError(f"{workflow_id} has not settled within {timeout_s:g} s") from None
            except (RedisError, OSError):  # the server may come back in time
                await asyncio.sleep(_AWAY_S)
                continue
            if outcome is None:
                raise WorkflowNotFoundError(f"no saga {workflow_id!r} was started here")
            return Outcome.from_json(outcome)

    async def signal(self, workflow_id: str, name: str, signal_id: str, payload: JSON) -> bool:
        """Deliver a signal to the wait called ``name``."""
        with told(self._deployment):
            return await self._signaller.signal(workflow_id, name, signal_id, payload)

    async def describe(self, workflow_id: str) -> Description:
        """Tell where the saga is, as far as workers and rows know."""
        with told(self._deployment):
            return await self._inspection.describe(workflow_id)

    async def list_sagas(self, status: Status | None = None, limit: int = 100) -> Sequence[Listed]:
        """Return the sagas whose rows have not expired, newest first."""
        with told(self._deployment):
            return await self._inspection.list_sagas(status, limit)

    async def schedule(self, saga: Saga, schedule_id: str, every: timedelta) -> None:
        """Write it into beat's configuration, with which whoever runs beat starts it again."""
        check_leases(saga, self._deployment.settings)
        await Timetable(self._deployment).add(Schedule(id=schedule_id, saga=saga.name, every=every))

    async def unschedule(self, schedule_id: str) -> None:
        """Take it out of beat's configuration; what beat has published before is started."""
        await Timetable(self._deployment).remove(schedule_id)

    async def schedules(self) -> Sequence[Schedule]:
        """Read beat's configuration."""
        return Timetable(self._deployment).listed()

    async def redrive(self, workflow_id: str, step: str | None = None) -> str:
        """Deliver or publish the saga's message once more."""
        with told(self._deployment):
            return await self._redriver.redrive(workflow_id, step)

    async def close(self) -> None:
        """Close every connection and thread."""
        await self._outcomes.close()
        await self._redis.aclose()
        await asyncio.to_thread(self._pool.shutdown)
        await asyncio.to_thread(self._close_app)
        if self._end_headers is not None:
            self._end_headers()

    def _close_app(self) -> None:
        app: Any = self._app
        app.amqp.producer_pool.force_close_all()
        app.pool.force_close_all()
        redis_of(app).connection_pool.disconnect()
        app.close()
