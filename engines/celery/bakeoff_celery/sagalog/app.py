"""The Celery app of a deployment with a saga log: no result backend, and a queue for sweeps."""

from __future__ import annotations

from collections.abc import Mapping

from celery import Celery

from bakeoff.deployment import Deployment
from bakeoff.saga import Saga
from bakeoff_celery.sagalog.settings import celery_configuration
from bakeoff_celery.sagalog.tasks import register


def make_app(deployment: Deployment, sagas: Mapping[str, Saga], connection_name: str | None = None) -> Celery:
    """Build the app and the tasks of ``sagas``; nothing connects before it is used.

    Args:
        deployment: Where the broker is.
        sagas: By name.
        connection_name: Makes the pool of connections this app's own (see ``bakeoff_celery.settings``).
    """
    app = Celery(
        "bakeoff", broker=deployment.addresses["broker"], backend="disabled://", set_as_current=False
    )
    app.conf.update(celery_configuration(deployment.settings, deployment.prefix, connection_name))
    register(app, deployment, sagas)
    app.finalize()
    return app
