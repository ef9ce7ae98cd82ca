"""The lock under which Celery's workers look for ended leases, left behind by one that was killed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from bakeoff.contract.lab import Lab
from bakeoff.contract.sagas import JOURNEY
from bakeoff.contract.strike import standing, start_at, strike, words
from bakeoff.nemesis import WorkerKill
from bakeoff.outcome import Status
from bakeoff.world import Aim, Point
from bakeoff_celery.app import make_app
from tests.engines.celery_stack import celery_lab

pytestmark = pytest.mark.service


def test_lock_of_the_dead_does_not_hold_up_what_they_left(tmp_path: Path) -> None:
    """As shipped the lock lives for 300 s, longer than this test waits."""
    with celery_lab(tmp_path, faults=True, visibility_timeout="3") as lab:
        app = make_app(lab.stack.deployment, {})
        started = start_at(lab, JOURNEY, Aim("book_hotel", "action", Point.BEFORE_EFFECT))
        there = standing(lab, [started])

        _take_the_lock(app, lab)
        strike(lab, WorkerKill(), there)

        [word] = words(lab, [started])
        assert word.settled().outcome.status is Status.COMPLETED
        app.close()


def _take_the_lock(app: Celery, lab: Lab) -> None:
    """As a worker takes it, by the settings in force, and never give it back."""
    with app.connection_for_write() as connection:
        channel: Any = connection.default_channel

        def taken() -> bool:
            lock = channel.client.lock(channel.unacked_mutex_key, timeout=channel.unacked_mutex_expire)
            return bool(lock.acquire(blocking=False))

        lab.until("the lock is ours", taken)
