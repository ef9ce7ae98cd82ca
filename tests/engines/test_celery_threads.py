"""Celery's pool of threads: one process, as many steps at once as it has slots, and no time limit."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from bakeoff.contract.lab import Lab
from bakeoff.contract.sagas import POLICIES, TRIP
from bakeoff.outcome import Status
from tests.engines.celery_stack import celery_lab

pytestmark = pytest.mark.service


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with celery_lab(tmp_path_factory.mktemp("threads"), pool="threads") as found:
        yield found


def test_steps_run_at_once_in_the_workers_own_process(lab: Lab) -> None:
    """Three sagas stand in a slow step together, in the process that the harness started."""
    slow = {"book_hotel:action": {"first": ["slow:4"]}}
    started = [lab.start(TRIP, fates=slow) for _ in range(3)]  # type: ignore[arg-type]
    ends = [one.settled() for one in started]
    attempted = [end.trace.attempts("book_hotel")[0].at for end in ends]
    assert max(attempted) < min(end.trace.effect("book_hotel").at for end in ends)

    assert lab.stack.workers is not None
    (worker,) = lab.stack.workers.children
    assert {end.trace.attempts("book_hotel")[0].pid for end in ends} == {worker.pid}
    assert {end.outcome.status for end in ends} == {Status.COMPLETED}


def test_no_step_is_limited(lab: Lab) -> None:
    """As declared: the attempt that takes longer than its timeout is the only one."""
    end = lab.settle(POLICIES, fates={"hasty:action": {"first": ["slow:4"]}})

    assert end.outcome.status is Status.COMPLETED
    assert end.counts == {"hasty": 1, "patient": 1}


def test_sigterm_waits_for_the_step_that_runs(lab: Lab) -> None:
    """It is the only attempt, and whoever is started next goes on with the saga."""
    started = lab.start(TRIP, fates={"book_hotel:action": {"first": ["slow:1"]}})
    started.until_attempted("book_hotel")
    assert lab.stack.workers is not None
    (worker,) = lab.stack.workers.children
    os.kill(worker.pid, signal.SIGTERM)
    end = started.settled()

    assert end.outcome.status is Status.COMPLETED
    assert end.counts["book_hotel"] == 1
    assert end.trace.attempts("send_itinerary")[0].pid != worker.pid
