"""Where a saga is now, from what Celery keeps: results, rows, and the workers' own memory."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from celery import Celery

from bakeoff.deployment import Deployment
from bakeoff.errors import WorkflowNotFoundError
from bakeoff.outcome import Description, Listed, Status
from bakeoff.registry import find_saga
from bakeoff.saga import Saga, Wait
from bakeoff.servers import server_away
from bakeoff_celery import rows
from bakeoff_celery.away import SILENCES
from bakeoff_celery.backend import retry_id
from bakeoff_celery.messages import belongs
from bakeoff_celery.outcomes import literal
from bakeoff_celery.state import task_id

#: Seconds that workers get to answer a question; Celery waits that long however fast they are.
_ANSWER_S = 0.6
_BATCH = 500
#: What a worker runs, is about to run, and keeps until its time has come.
_HOLDINGS: tuple[Callable[[Any], Any], ...] = (
    lambda workers: workers.active(),
    lambda workers: workers.reserved(),
    lambda workers: workers.scheduled(),
)


class Inspection:
    """Reads rows and results, and asks the workers (Celery's remote control)."""

    def __init__(
        self,
        deployment: Deployment,
        sagas: Mapping[str, Saga],
        app: Celery,
        redis: Any,
        outcome_key: Callable[[str], str],
    ) -> None:
        self._deployment = deployment
        self._sagas = dict(sagas)
        self._app = app
        self._redis = redis
        self._key = outcome_key

    async def describe(self, workflow_id: str) -> Description:
        """Tell where the saga is.

        Raises:
            WorkflowNotFoundError: If nobody started it.
        """
        native_id = self._deployment.native_id(workflow_id)
        text, meta = await self._redis.mget(
            rows.start_key(self._deployment, workflow_id), self._key(native_id)
        )
        if text is None:
            raise WorkflowNotFoundError(f"no saga {workflow_id!r} was started here")
        name = rows.Start.of(text).saga
        status, error = _status(meta)
        if status.settled:
            return Description(status=status, saga=name, last_error=error)
        saga = find_saga(name, self._sagas)
        if (awaited := await self._awaited(saga, workflow_id)) is not None:
            return Description(status=status, saga=name, awaiting=awaited)
        running, scheduled = await asyncio.gather(
            asyncio.to_thread(self._running, saga, native_id), asyncio.to_thread(self._scheduled, native_id)
        )
        task = running or scheduled
        if not task:
            reason = "no worker holds a message of it now; Celery does not tell what lies in the queue"
            fields = ("current_step", "attempt", "next_retry_at", *(() if error else ("last_error",)))
            unknown = dict.fromkeys(fields, reason)
            return Description(status=status, saga=name, last_error=error, unknown=unknown)
        attempt, failed = await self._last_failure(str(task["id"]))
        eta = task.get("eta")
        return Description(
            status=status,
            saga=name,
            current_step=str(task["name"]).partition(".")[2] or str(task["name"]).partition(":")[2],
            attempt=attempt + 1,
            next_retry_at=datetime.fromisoformat(eta).timestamp() if eta and attempt else None,
            last_error=failed or error,
        )

    async def list_sagas(self, status: Status | None, limit: int) -> Sequence[Listed]:
        """Scan the rows of all starts; newest first."""
        start = rows.start_key(self._deployment, "")
        keys = [key async for key in self._redis.scan_iter(match=f"{literal(start)}*", count=1000)]
        found: list[tuple[float, Listed]] = []
        for at in range(0, len(keys), _BATCH):
            batch = [key.decode() for key in keys[at : at + _BATCH]]
            ids = [key[len(start) :] for key in batch]
            metas = [self._key(self._deployment.native_id(workflow_id)) for workflow_id in ids]
            texts = await self._redis.mget(batch)
            outcomes = await self._redis.mget(metas)
            for workflow_id, text, meta in zip(ids, texts, outcomes, strict=True):
                if text is not None:
                    row = rows.Start.of(text)
                    found.append((row.at, Listed(workflow_id, _status(meta)[0], row.saga, row.at)))
        found.sort(key=lambda item: item[0], reverse=True)
        return [listed for _, listed in found if status is None or listed.status is status][:limit]

    async def held(self, workflow_id: str) -> str | None:
        """Name of the task of this saga that a worker runs, is about to run, or keeps until its time."""
        native_id = self._deployment.native_id(workflow_id)
        asked = [asyncio.to_thread(self._asked, question) for question in _HOLDINGS]
        for answers in await asyncio.gather(*asked):
            for entry in (entry for answer in answers.values() for entry in answer):
                task = entry.get("request", entry)
                if belongs(native_id, workflow_id, str(task["id"]), task.get("args")):
                    return str(task["name"])
        return None

    async def _awaited(self, saga: Saga, workflow_id: str) -> str | None:
        for wait in (element for element in saga.elements if isinstance(element, Wait)):
            key = rows.wait_key(self._deployment, workflow_id, wait.name)
            row = rows.Signal.of(await self._redis.hgetall(key))
            if row.parked is not None and row.signal_id is None and not row.expired:
                return wait.name
        return None

    def _running(self, saga: Saga, native_id: str) -> dict[str, Any]:
        """Return what a worker runs, or is about to run, of this saga."""
        names = [element.name for element in saga.elements] + [step.name for step in saga.steps()]
        ids = [native_id, *(task_id(native_id, name) for name in names)]
        answers = self._asked(lambda workers: workers.query_task(*ids))
        tasks = [task for answer in answers.values() for _, task in answer.values()]
        return tasks[0] if tasks else {}

    def _scheduled(self, native_id: str) -> dict[str, Any]:
        """Return the message of this saga that a worker keeps until its time has come."""
        answers = self._asked(lambda workers: workers.scheduled())
        for entry in (entry for answer in answers.values() for entry in answer):
            request = entry["request"]
            if request["id"] == native_id or str(request["id"]).startswith(f"{native_id}:"):
                return {**request, "eta": entry["eta"]}
        return {}

    def _asked(self, question: Callable[[Any], Any]) -> dict[str, Any]:
        """What each worker answers; the question goes by the broker, whose errors Kombu leaves alone."""
        try:
            return question(self._app.control.inspect(timeout=_ANSWER_S)) or {}
        except SILENCES as error:
            raise server_away(self._deployment, "broker", error) from error

    async def _last_failure(self, id: str) -> tuple[int, str | None]:
        """Return how many attempts of a task have failed so far, and the last error."""
        text = await self._redis.get(self._key(retry_id(id)))
        if text is None:
            return 0, None
        meta = json.loads(text)
        return int(meta.get("retries") or 0) + 1, _error_text(meta["result"])


def _status(meta: bytes | None) -> tuple[Status, str | None]:
    """Status and error of a saga, from the stored result of its last task."""
    if meta is None:
        return Status.RUNNING, None
    stored = json.loads(meta)
    if stored["status"] == "SUCCESS":
        cause = stored["result"].get("cause")
        return Status(stored["result"]["status"]), f"{cause['type']}: {cause['message']}" if cause else None
    if stored["status"] == "COMPENSATING":
        return Status.RUNNING, f"{stored['result']['type']}: {stored['result']['message']}"
    return Status.RUNNING, _error_text(stored["result"])


def _error_text(stored: Any) -> str | None:
    """``Type: message`` of an exception as Celery's JSON stores it."""
    if not isinstance(stored, dict) or "exc_type" not in stored:
        return None
    arguments = stored.get("exc_message") or []
    if stored["exc_type"] == "StepFailed":
        return f"{arguments[0]}: {arguments[1]}"
    return f"{stored['exc_type']}: {' '.join(str(item) for item in arguments)}"
