"""The client: every question and every request is a transaction of the log."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, TypeVar
from uuid import uuid4

from celery import Celery
from sqlalchemy.exc import SQLAlchemyError

from bakeoff.deployment import Deployment
from bakeoff.errors import ServerAwayError, StartUnknownError
from bakeoff.outcome import Description, Event, Listed, Outcome, Status
from bakeoff.saga import JSON, Saga
from bakeoff.schedules import Schedule
from bakeoff.telemetry import carried, carrying, with_headers
from bakeoff.timetable import Timetable
from bakeoff_celery.headers import send_headers
from bakeoff_celery.sagalog import reading, redriving, rows
from bakeoff_celery.sagalog.app import make_app
from bakeoff_celery.sagalog.away import log_away
from bakeoff_celery.sagalog.doorbell import ring
from bakeoff_celery.sagalog.happenings import cancel, deliver
from bakeoff_celery.sagalog.log import Happening, Message, SagaLog
from bakeoff_celery.sagalog.outcomes import Outcomes
from bakeoff_celery.sagalog.place import create_tables, open_log
from bakeoff_celery.sagalog.record import Signal
from bakeoff_celery.sagalog.timing import Timing
from bakeoff_celery.state import to_json

T = TypeVar("T")

#: Of the client's own threads: SQLAlchemy and Kombu block.
_THREADS = 4


class SagaLogClient:
    """See ``bakeoff.engine.EngineClient``. What the log took is accepted, with a broker or without one."""

    def __init__(self, deployment: Deployment, sagas: Mapping[str, Saga]) -> None:
        self._deployment = deployment
        self._app: Celery = make_app(deployment, sagas, f"{deployment.prefix}bakeoff-{uuid4().hex}")
        self._log = SagaLog(open_log(deployment), sagas, Timing.of(deployment.settings))
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="celery-sagalog")
        self._end_headers = send_headers() if deployment.otlp is not None else None
        interval_s = float(deployment.settings["poll_interval"])
        self._outcomes = Outcomes(self._settled, interval_s)

    @classmethod
    async def connected(cls, deployment: Deployment, sagas: Mapping[str, Saga]) -> SagaLogClient:
        """Return a client whose log has its tables."""
        client = cls(deployment, sagas)
        try:
            await client._in_thread(lambda: create_tables(deployment))
        except BaseException:
            await client.close()
            raise
        return client

    async def start(self, saga: Saga, workflow_id: str, input: JSON) -> bool:
        """Start a saga: its row and its first command, then the doorbell."""
        saga = self._log.saga(saga.name)
        plain = json.loads(to_json(input, f"{workflow_id}: the input"))
        try:
            return await self._in_thread(lambda: self._rung(*self._log.start(saga, workflow_id, plain)))
        except ServerAwayError as error:
            raise StartUnknownError(
                f"{workflow_id}: nobody knows whether it started ({error}); repeat it"
            ) from error

    async def result(self, workflow_id: str, timeout_s: float) -> Outcome:
        """Wait for the terminal outcome."""
        deadline = time.monotonic() + timeout_s
        await self._in_thread(lambda: rows.read(self._log.engine, workflow_id))
        return await self._outcomes.wait(workflow_id, deadline - time.monotonic())

    async def signal(self, workflow_id: str, name: str, signal_id: str, payload: JSON) -> bool:
        """Deliver a signal to the wait called ``name``."""
        plain = json.loads(to_json(payload, f"{workflow_id}: the payload of {name}"))
        signal = Signal(name, signal_id, plain)
        return await self._change(workflow_id, lambda saga, record, _: deliver(saga, record, signal))

    async def cancel(self, workflow_id: str) -> None:
        """Request a cancel."""
        await self._change(workflow_id, lambda saga, record, _: cancel(saga, record))

    async def describe(self, workflow_id: str) -> Description:
        """Tell where the saga is."""

        def read() -> Description:
            record = rows.read(self._log.engine, workflow_id)
            return reading.description(self._log.saga(record.saga), record, time.time())

        return await self._in_thread(read)

    async def list_sagas(self, status: Status | None = None, limit: int = 100) -> Sequence[Listed]:
        """Return sagas of the log, newest first."""
        return await self._in_thread(lambda: reading.listed(self._log.engine, status, limit))

    async def event_history(self, workflow_id: str) -> Sequence[Event]:
        """Return what happened to the saga."""
        return await self._in_thread(lambda: reading.history(self._log.engine, workflow_id))

    async def schedule(self, saga: Saga, schedule_id: str, every: timedelta) -> None:
        """Write it into beat's configuration, with which whoever runs beat starts it again."""
        await Timetable(self._deployment).add(Schedule(id=schedule_id, saga=saga.name, every=every))

    async def unschedule(self, schedule_id: str) -> None:
        """Take it out of beat's configuration; what beat has published before is started."""
        await Timetable(self._deployment).remove(schedule_id)

    async def schedules(self) -> Sequence[Schedule]:
        """Read beat's configuration."""
        return Timetable(self._deployment).listed()

    async def redrive(self, workflow_id: str, step: str | None = None) -> str:
        """Go on with a saga that is stuck or ended ``compensation_failed``."""
        return await self._change(
            workflow_id, lambda saga, record, now: redriving.redrive(saga, record, now, step)
        )

    async def close(self) -> None:
        """Close every connection and thread."""
        await self._outcomes.close()
        await asyncio.to_thread(self._pool.shutdown)
        await asyncio.to_thread(self._close)
        if self._end_headers is not None:
            self._end_headers()

    def _close(self) -> None:
        app: Any = self._app
        app.amqp.producer_pool.force_close_all()
        app.pool.force_close_all()
        app.close()
        self._log.engine.dispose()

    async def _change(self, workflow_id: str, happening: Happening[T]) -> T:
        def change() -> T:
            answer, _, messages = self._log.change(workflow_id, happening)
            # Whoever signals or cancels is in a trace of his own, as the relay is in that of an event.
            with carrying(None):
                return self._rung(answer, messages)

        return await self._in_thread(change)

    def _rung(self, answer: T, messages: Sequence[Message]) -> T:
        ring(self._app, self._deployment, self._log, messages)
        return answer

    async def _settled(self, workflow_ids: Iterable[str]) -> Mapping[str, Outcome]:
        return await self._in_thread(lambda: reading.settled_outcomes(self._log.engine, workflow_ids))

    async def _in_thread(self, work: Callable[[], T]) -> T:
        """Run ``work`` in a thread; ``ServerAwayError`` where the log does not answer."""
        try:
            own = with_headers(carried(), work)
            return await asyncio.get_running_loop().run_in_executor(self._pool, own)
        except SQLAlchemyError as error:
            raise log_away(self._deployment, error) from error
