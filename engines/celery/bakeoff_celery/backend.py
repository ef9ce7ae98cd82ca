"""The result backend, without the habit of listening for every task that this process sends."""

from __future__ import annotations

from typing import Any

from celery import Celery
from celery.backends.redis import RedisBackend


class OutcomeBackend(RedisBackend):
    """Celery's Redis backend as it is, but a process that publishes does not subscribe to the result.

    Celery subscribes at publication and lets go in ``AsyncResult.get()``. Our clients wait with
    ``bakeoff_celery.outcomes`` instead, so these subscriptions would stay for ever.
    """

    def on_task_call(self, producer: object, task_id: str) -> None:
        """Do not subscribe."""

    def remove_pending_result(self, result: Any) -> Any:
        """Forget a result handle that nobody asked; there is nothing to unsubscribe from."""
        self._remove_pending_result(result)  # type: ignore[attr-defined] # missing in the stubs
        return result


def redis_of(app: Celery) -> Any:
    """Return the backend's own blocking Redis client, for the rows that a task writes."""
    backend: Any = app.backend
    return backend.client


def backend_url(url: str) -> str:
    """Return the URL that makes Celery use this class.

    Source: ``celery.app.backends.by_url``.
    """
    return f"{__name__}:{OutcomeBackend.__name__}+{url}"
