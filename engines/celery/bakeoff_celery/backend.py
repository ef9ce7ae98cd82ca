"""The result backend, without four habits that a saga cannot live with."""

from __future__ import annotations

from typing import Any

from billiard.exceptions import TimeLimitExceeded, WorkerLostError
from celery import Celery
from celery.backends.redis import RedisBackend
from celery.states import FAILURE

from bakeoff_celery.state import StepFailed

#: State, of our own, of the task that brings the outcome: the way back has begun. Its result is the cause.
COMPENSATING = "COMPENSATING"


class OutcomeBackend(RedisBackend):
    """Celery's Redis backend as it is, but a process that publishes does not subscribe to the result.

    Celery subscribes at publication and lets go in ``AsyncResult.get()``. Our clients wait with
    ``bakeoff_celery.outcomes`` instead, so these subscriptions would stay for ever.

    And a retry is noted beside the result, not in its place. ``Task.retry`` publishes the next attempt
    *before* Celery stores ``RETRY``, so on a busy machine that attempt may have ended already, and its
    ``FAILURE``, from which the errback learns everything, would be overwritten.

    And the failure of a task is not stored for the last one of its chain, which has the saga's own id, once
    the way back is noted there: a copy of a step that fails late would take the note away.

    And a step that was declined, or has given up, stays so when its process dies before it has told anybody.
    """

    def on_task_call(self, producer: object, task_id: str) -> None:
        """Do not subscribe."""

    def remove_pending_result(self, result: Any) -> Any:
        """Forget a result handle that nobody asked; there is nothing to unsubscribe from."""
        self._remove_pending_result(result)  # type: ignore[attr-defined] # missing in the stubs
        return result

    def store_result(
        self,
        task_id: str,
        result: Any,
        state: str,
        traceback: Any = None,
        request: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Store a result, unless it is another task's and would replace the note about the way back."""
        # What stands in a chain has not come to a worker.
        of_another = request is not None and request.hostname is None
        if state == FAILURE and of_another and self._goes_back(task_id):
            return result
        return super().store_result(task_id, result, state, traceback, request, **kwargs)

    def mark_as_failure(self, task_id: str, exc: Any, *args: Any, **kwargs: Any) -> Any:
        """Store a failure, but not the death of a process in the place of what the step itself has said."""
        if isinstance(exc, (WorkerLostError, TimeLimitExceeded)):
            said = self.get_task_meta(task_id, cache=False)["result"]
            if isinstance(said, StepFailed):
                exc = StepFailed(said.type, said.message, said.step, True, said.exhausted)
        return super().mark_as_failure(task_id, exc, *args, **kwargs)

    def _goes_back(self, task_id: str) -> bool:
        return bool(self.get_task_meta(task_id, cache=False)["status"] == COMPENSATING)

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
