"""Celery beat: ``celery -A bakeoff_celery.beat:app beat``, one process, beside the workers of a deployment.

Beat publishes a message per period, and the worker that takes it starts the saga. Its schedule is its
configuration, read when it starts, so whoever changes that starts it again. Beat knows when it last published
what, but not whether anybody else did: two of them, or one that was killed before it wrote that down, publish
a period twice. That is why the message carries the id of the period's saga, of which there is one.

Source: Celery user guide, "Periodic Tasks".
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from celery import Celery, signals
from celery.beat import BeatLazyFunc
from celery.schedules import schedstate, schedule

from bakeoff.deployment import Deployment
from bakeoff.engine import Capability, Claim, Support
from bakeoff.schedules import Schedule
from bakeoff.settings import SettingsInForce
from bakeoff.timetable import Timetable
from bakeoff.world import World
from bakeoff_celery.settings import celery_configuration

#: Claims of whoever has beat.
SCHEDULING = {
    Capability.SCHEDULES: Claim(
        Support.NATIVE, "Celery beat, one process; a period that it publishes twice is started once"
    ),
    Capability.CATCH_UP: Claim(
        Support.ABSENT, "beat starts the period in which it comes back, and none of those before"
    ),
}
#: The task that starts the saga of a period.
PERIOD = "bakeoff:period"


class periodically(schedule):
    """Due once in every period, as early in it as beat looks; Celery's own intervals begin when beat does."""

    def is_due(self, last_run_at: datetime) -> schedstate:
        """Whether a period has begun since then, and the seconds until the next one begins."""
        now, every = self.now().timestamp(), float(self.seconds)
        due = last_run_at.timestamp() // every < now // every
        return schedstate(is_due=due, next=every - now % every)


def entries(schedules: Mapping[str, Schedule]) -> dict[str, dict[str, Any]]:
    """Return beat's configuration."""
    return {
        one.id: {
            "task": PERIOD,
            "schedule": periodically(one.every),
            # Which period it is, beat says, not the worker that may come to the message much later.
            "args": (one.saga, BeatLazyFunc(id_of_now, one)),
        }
        for one in schedules.values()
    }


def id_of_now(schedule: Schedule) -> str:
    """Return the id of the saga of the period that has begun."""
    return schedule.saga_id(time.time())


def beat_argv(module: str, deployment: Deployment) -> Sequence[str]:
    """Return argv of beat for a module's ``app``; its file is in the deployment's folder."""
    return [
        *(sys.executable, "-m", "celery", "--quiet", "-A", f"{module}:app", "beat"),
        *("--schedule", str(Path(deployment.folder) / "celerybeat-schedule")),
        # Its supervisor knows it; a file with its number would outlive a kill.
        *("--pidfile", "", "--loglevel", "warning"),
    ]


def beat_app(configuration: Callable[[SettingsInForce, str], dict[str, Any]]) -> Celery:
    """Build the app of ``BAKEOFF_DEPLOYMENT``: it publishes to the workers' queue and knows no task."""
    deployment = Deployment.of_this_process()
    app = Celery(
        "bakeoff", broker=deployment.addresses["broker"], backend="disabled://", set_as_current=False
    )
    app.conf.update(configuration(deployment.settings, deployment.prefix))
    # Whoever keeps results cleans up after itself, and there is nothing here that beat should clean.
    app.conf.update(result_expires=None, beat_schedule=entries(Timetable(deployment).wanted()))

    @signals.beat_init.connect(weak=False)
    def announce(**_: Any) -> None:
        world = World.open(deployment.world_url)
        world.announce_worker("scheduler")
        world.close()

    return app


def __getattr__(name: str) -> Celery:
    """Build ``app`` when the Celery command asks for it, so that importing this module does nothing."""
    if name != "app":
        raise AttributeError(name)
    return _app()


@cache
def _app() -> Celery:
    return beat_app(celery_configuration)
