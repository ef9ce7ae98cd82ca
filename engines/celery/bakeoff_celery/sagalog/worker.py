"""The worker: ``celery -A bakeoff_celery.sagalog.worker:app worker``, for one ``BAKEOFF_DEPLOYMENT``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from celery import Celery, signals

from bakeoff.deployment import Deployment
from bakeoff.registry import load_sagas
from bakeoff.world import participant_of_this_process
from bakeoff_celery.headers import carry_headers
from bakeoff_celery.introduction import argv_of, introduce
from bakeoff_celery.sagalog.app import make_app
from bakeoff_celery.sagalog.clock import Clock
from bakeoff_celery.sagalog.place import create_tables
from bakeoff_celery.sagalog.process import log_of_this_process


def worker_argv(deployment: Deployment) -> Sequence[str]:
    """Return argv of one worker."""
    return argv_of(__name__, "prefork", deployment.slots)


def __getattr__(name: str) -> Celery:
    """Build ``app`` when the Celery command asks for it, so that importing this module does nothing."""
    if name != "app":
        raise AttributeError(name)
    return _app()


@cache
def _app() -> Celery:
    deployment = Deployment.of_this_process()
    create_tables(deployment)
    app = make_app(deployment, load_sagas(deployment.sagas))
    app.steps["worker"].add(Clock)

    introduce(deployment)

    @signals.worker_process_init.connect(weak=False)
    def connect_process(**_: Any) -> None:
        participant = participant_of_this_process()
        if participant.tracing is not None:
            carry_headers(participant)
        log_of_this_process()

    return app
