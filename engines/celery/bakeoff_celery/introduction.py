"""What every worker of ours does at its start: a command line, a name of its own, a word when it is ready."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

from celery import signals
from celery.utils.nodenames import gethostname, nodename

from bakeoff.deployment import Deployment
from bakeoff.world import World


def argv_of(module: str, pool: str, slots: int) -> Sequence[str]:
    """Return argv of a worker of a module's ``app``: one for the broker, and a process or thread per slot."""
    return [
        *(sys.executable, "-m", "celery", "--quiet", "-A", f"{module}:app", "worker"),
        *("--pool", pool, "--concurrency", str(slots)),
        *("--loglevel", "warning", "--without-mingle", "--without-gossip", "--without-heartbeat"),
    ]


def introduce(deployment: Deployment) -> None:
    """Have this worker name itself, and announce itself to the World once it takes work."""

    # Two workers of one host must not answer to one name.
    @signals.celeryd_init.connect(weak=False)
    def name_worker(instance: Any, **_: Any) -> None:
        instance.hostname = nodename(f"{deployment.prefix}worker{os.getpid()}", gethostname())

    @signals.worker_ready.connect(weak=False)
    def announce(**_: Any) -> None:
        # The processes of a prefork pool exist already: no database connection is shared with them.
        world = World.open(deployment.world_url)
        world.announce_worker()
        world.close()
