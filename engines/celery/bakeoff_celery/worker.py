"""The worker process: ``celery -A bakeoff_celery.worker:app worker``, for one ``BAKEOFF_DEPLOYMENT``."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import cache
from typing import Any

from celery import Celery, signals
from celery.utils.nodenames import gethostname, nodename

from bakeoff.deployment import Deployment
from bakeoff.registry import load_sagas
from bakeoff.world import World, participant_of_this_process
from bakeoff_celery.app import make_app
from bakeoff_celery.windows import stop_in_windows


def worker_argv(deployment: Deployment) -> Sequence[str]:
    """Return argv of one worker: a parent that talks to the broker and a process per slot."""
    return [
        *(sys.executable, "-m", "celery", "--quiet", "-A", "bakeoff_celery.worker:app", "worker"),
        *("--pool", str(deployment.settings["pool"]), "--concurrency", str(deployment.slots)),
        *("--loglevel", "warning", "--without-mingle", "--without-gossip", "--without-heartbeat"),
    ]


def __getattr__(name: str) -> Celery:
    """Build ``app`` when the Celery command asks for it, so that importing this module does nothing."""
    if name != "app":
        raise AttributeError(name)
    return _app()


@cache
def _app() -> Celery:
    deployment = Deployment.of_this_process()
    app = make_app(deployment, load_sagas(deployment.sagas))

    # Two workers of one host must not answer to one name.
    @signals.celeryd_init.connect(weak=False)
    def name_worker(instance: Any, **_: Any) -> None:
        instance.hostname = nodename(f"{deployment.prefix}worker{os.getpid()}", gethostname())

    @signals.worker_process_init.connect(weak=False)
    def connect_process(**_: Any) -> None:
        participant = participant_of_this_process()
        if participant.services.faults:
            stop_in_windows(participant)

    @signals.worker_ready.connect(weak=False)
    def announce(**_: Any) -> None:
        # The pool's processes exist already: no database connection is shared with them.
        world = World.open(deployment.world_url)
        world.announce_worker()
        world.close()

    return app
