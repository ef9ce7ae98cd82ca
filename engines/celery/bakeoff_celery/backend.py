"""The result backend, without two habits that a saga cannot live with."""

from __future__ import annotations

from typing import Any

from celery import Celery
from celery.backends.redis import RedisBackend


class OutcomeBackend(RedisBackend):
    """Celery's Redis backend as it is, but a process that publishes does not subscribe to the result.

    Celery subscribes at publication and lets go in ``AsyncResult.get()``. Our clients wait with
    ``bakeoff_celery.outcomes`` instead, so these subscriptions would stay for ever.

    And a retry is noted beside the result, not in its place. ``Task.retry`` publishes the next attempt
    *before* Celery stores ``RETRY``, so on a busy machine that attempt may have ended already, and its
    ``FAILURE``, from which the errback learns everything, would be overwritten.
    """

    def on_task_call(self, producer: object, task_id: str) -> None:
        """Do not subscribe."""

    def remove_pending_result(self, result: Any) -> Any:
        """Forget a result handle that nobody asked; there is nothing to unsubscribe from."""
        self._remove_pending_result(result)  # type: ignore[attr-defined] # missing in the stubs
        return result

    def mark_as_retry(self, task_id: str, exc: Any, *args: Any, **kwargs: Any) -> Any:
        """Store the failed attempt under an id of its own."""
        return super().mark_as_retry(retry_id(task_id), exc, *args, **kwargs)


def retry_id(task_id: str) -> str:
    """Id under which the last failed attempt of a task that is retried is found."""
    return f"{task_id}:retry"


def redis_of(app: Celery) -> Any:
    """Return the backend's own blocking Redis client, for the rows that a task writes."""
    backend: Any = app.backend
    return backend.client


def backend_url(url: str) -> str:
    """Return the URL that makes Celery use this class.

    Celery refuses ``rediss://`` without a word on certificates, where Kombu and redis-py check them.

    Source: ``celery.app.backends.by_url``.
    """
    if url.startswith("rediss://") and "ssl_cert_reqs=" not in url:
        url += f"{'&' if '?' in url else '?'}ssl_cert_reqs=required"
    return f"{__name__}:{OutcomeBackend.__name__}+{url}"
