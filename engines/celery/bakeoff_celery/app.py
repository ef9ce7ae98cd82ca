"""The Celery app of a deployment, the same in clients and workers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from celery import Celery

from bakeoff.deployment import Deployment
from bakeoff.saga import Saga
from bakeoff_celery.backend import backend_url
from bakeoff_celery.compensation import register_compensation
from bakeoff_celery.settings import celery_configuration
from bakeoff_celery.starting import register_period
from bakeoff_celery.tasks import register_forward


def make_app(deployment: Deployment, sagas: Mapping[str, Saga], connection_name: str | None = None) -> Celery:
    """Build the app and the tasks of ``sagas``; see ``celery_configuration`` for ``connection_name``.

    Nothing connects before it is used.
    """
    broker = deployment.addresses["broker"]
    backend = backend_url(deployment.addresses.get("results", broker))
    app = Celery("bakeoff", broker=broker, backend=backend, set_as_current=False)
    app.conf.update(celery_configuration(deployment.settings, deployment.prefix, connection_name))

    def define(name: str, **options: Any) -> Callable[[Callable[..., Any]], Any]:
        # Not shared: another deployment's app in this process has other tasks of this name. Not typed: the
        # arguments are ours, and checking them costs at every publication. Retries end by the saga's policy.
        return app.task(
            name=name,
            bind=True,
            shared=False,
            typing=False,
            Request="bakeoff_celery.request:SagaRequest",
            **{"max_retries": None, **options},
        )

    for saga in sagas.values():
        register_forward(app, define, deployment, saga)
        register_compensation(app, define, deployment, saga)
    register_period(app, define, deployment, dict(sagas))
    app.finalize()
    return app
