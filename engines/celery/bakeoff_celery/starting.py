"""The start of a saga: one unique row, then the chain; by a client, or by the message of a period.

Whoever writes the row publishes, and says so in it. If it died in between, the next one who starts the same
saga publishes in its place.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from celery import Celery, Task
from celery.utils.log import get_logger

from bakeoff.deployment import Deployment
from bakeoff.errors import WorkflowConflictError
from bakeoff.registry import find_saga
from bakeoff.saga import Saga
from bakeoff_celery import rows
from bakeoff_celery.away import SILENCES
from bakeoff_celery.backend import redis_of
from bakeoff_celery.beat import PERIOD
from bakeoff_celery.canvas import forward
from bakeoff_celery.state import State, to_json

#: Seconds until a worker tries again to start the saga of a period.
_AGAIN_S = 1.0

_logger = get_logger(__name__)


def create(app: Celery, deployment: Deployment, row: rows.Start, saga: Saga, state: State) -> bool:
    """Write the row and publish, unless the row is there."""
    key, ttl_s = rows.start_key(deployment, state["id"]), int(deployment.settings["result_expires"])
    if not redis_of(app).set(key, row.text(), nx=True, ex=ttl_s):
        return False
    publish(app, deployment, row, saga, state)
    return True


def publish(app: Celery, deployment: Deployment, row: rows.Start, saga: Saga, state: State) -> None:
    """Publish the chain, and say so in the row."""
    forward(app, deployment, saga, state).apply_async()
    key = rows.start_key(deployment, state["id"])
    redis_of(app).set(key, row.text(published=True), xx=True, keepttl=True)


def is_published(known: rows.Start, row: rows.Start, workflow_id: str) -> bool:
    """Whether the saga of a row that is there has been published; ``WorkflowConflictError`` for another."""
    if not known.same_as(row):
        raise WorkflowConflictError(f"{workflow_id} exists already with another saga or input")
    return known.published


def register_period(
    app: Celery,
    define: Callable[..., Callable[[Callable[..., Any]], Any]],
    deployment: Deployment,
    sagas: dict[str, Saga],
) -> None:
    """Register the task that beat publishes once per period, or twice."""

    def begin(self: Task[Any, Any], saga_name: str, workflow_id: str) -> None:
        saga = find_saga(saga_name, sagas)
        row = rows.Start.new(saga.name, to_json(workflow_id, "the id"))
        state: State = {"id": workflow_id, "input": workflow_id, "results": {}}
        try:
            if create(app, deployment, row, saga, state):
                return
            text = redis_of(app).get(rows.start_key(deployment, workflow_id))
            known = rows.Start.of(text) if text is not None else row
            if is_published(known, row, workflow_id):
                return
            if time.time() - known.at >= rows.PUBLISHER_PATIENCE_S:
                publish(app, deployment, row, saga, state)
                return
        except WorkflowConflictError as conflict:
            _logger.error("no saga for this period: %s", conflict)
            return
        except SILENCES as silence:
            raise self.retry(exc=silence, countdown=_AGAIN_S) from silence
        raise self.retry(countdown=_AGAIN_S)  # somebody else may be about to publish

    define(PERIOD)(begin)
