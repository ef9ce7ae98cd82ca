"""The result backend, without the habit of listening for every task that this process sends."""

from __future__ import annotations

from celery.backends.redis import RedisBackend


class OutcomeBackend(RedisBackend):  # type: ignore[misc]
    """Celery's Redis backend as it is, but a client that publishes does not subscribe to the result.

    Celery subscribes at publication and lets go in ``AsyncResult.get()``. Our clients wait with
    ``bakeoff_celery.outcomes`` instead, so these subscriptions would stay for ever.
    """

    def on_task_call(self, producer: object, task_id: str) -> None:
        """Do nothing."""


def backend_url(url: str) -> str:
    """The URL that makes Celery use this class.

    Source: ``celery.app.backends.by_url``.
    """
    return f"{__name__}:{OutcomeBackend.__name__}+{url}"
