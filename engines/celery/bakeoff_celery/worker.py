"""The worker process: ``celery -A bakeoff_celery.worker:app worker``, for one ``BAKEOFF_DEPLOYMENT``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from celery import Celery, signals

from bakeoff.deployment import Deployment
from bakeoff.registry import load_sagas
from bakeoff.world import participant_of_this_process
from bakeoff_celery.app import make_app
from bakeoff_celery.headers import carry_headers
from bakeoff_celery.introduction import argv_of, introduce
from bakeoff_celery.windows import stop_in_windows


def worker_argv(deployment: Deployment) -> Sequence[str]:
    """Return argv of one worker."""
    return argv_of("bakeoff_celery.worker", str(deployment.settings["pool"]), deployment.slots)


def __getattr__(name: str) -> Celery:
    """Build ``app`` when the Celery command asks for it, so that importing this module does nothing."""
    if name != "app":
        raise AttributeError(name)
    return _app()


@cache
def _app() -> Celery:
    deployment = Deployment.of_this_process()
    app = make_app(deployment, load_sagas(deployment.sagas))

    introduce(deployment)

    # A pool of threads has one process, the worker's own, and Celery tells of no other beginning.
    threads = deployment.settings["pool"] == "threads"
    begun = signals.worker_init if threads else signals.worker_process_init

    @begun.connect(weak=False)
    def connect_process(**_: Any) -> None:
        participant = participant_of_this_process()
        if participant.tracing is not None:
            carry_headers(participant)
        if participant.services.faults:
            stop_in_windows(participant)

    return app
