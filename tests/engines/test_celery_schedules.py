"""What everybody knows of Celery beat: two of them publish twice, and what it missed it does not make up."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from bakeoff.contract.lab import Lab
from bakeoff.contract.sagas import SINGLE
from bakeoff.contract.scheduled import Scheduled, kill_scheduler, scheduled
from bakeoff.deployment import DEPLOYMENT_VARIABLE
from bakeoff.engine import HasScheduler
from bakeoff.errors import UsageError
from bakeoff.outcome import Status
from bakeoff.processes import Child, Launch, kill_session
from bakeoff.timetable import Timetable
from tests.engines.celery_stack import celery_lab
from tests.engines.sagalog_stack import sagalog_deployment, sagalog_lab
from tests.tiers import more, thorough

pytestmark = [pytest.mark.service, pytest.mark.timeout(180)]

_EVERY_S = 2.0
_ONCE = {"book_flight": 1, "book_hotel": 1}


@pytest.mark.parametrize(
    "lab_of", [pytest.param(celery_lab, id="celery"), more(sagalog_lab, id="celery-sagalog")]
)
def test_two_beats_start_each_period_once(tmp_path: Path, lab_of: type) -> None:
    """Both publish, with the id of the period in the message; one saga of this id is started."""
    with lab_of(tmp_path) as lab, scheduled(lab, SINGLE, _EVERY_S) as it:
        second = _second_beat(lab, tmp_path)
        # With the fourth out, both messages of each of the three before it have come to a worker.
        lab.until("the second beat publishes", lambda: _published(second, it) >= 4)
        ends = [it.saga_of(workflow_id).settled() for workflow_id in it.until_begun(3)[:3]]

        assert [end.counts for end in ends] == [_ONCE] * len(ends)
        assert {end.outcome.status for end in ends} == {Status.COMPLETED}


def _second_beat(lab: Lab, folder: Path) -> Child:
    """As somebody starts it by mistake, on another machine."""
    stack = lab.stack
    assert isinstance(stack.engine, HasScheduler)
    argv = list(stack.engine.scheduler_command(stack.deployment))
    argv[argv.index("--schedule") + 1] = str(folder / "another-schedule")
    argv[argv.index("--loglevel") + 1] = "info"
    env = {DEPLOYMENT_VARIABLE: str(stack.deployment_file)}
    return stack.launcher.start("second-beat", Launch(argv=argv, env=env))


def _published(beat: Child, it: Scheduled) -> int:
    return beat.log.read_text().count(f"Sending due task {it.schedule.id}")


@thorough
def test_beat_makes_up_the_period_of_its_return_alone(tmp_path: Path) -> None:
    """Away over the begin of three: none of them gets a saga but the one in which it is back."""
    with celery_lab(tmp_path) as lab, scheduled(lab, SINGLE, _EVERY_S) as it:
        it.until_begun(1)
        killed_at = time.time()
        kill_scheduler(lab, away_s=3 * _EVERY_S)
        back_at = time.time()
        back = it.ids(back_at, 2)
        lab.until("the period of its return, or the next", lambda: set(back) & set(it.begun()))
        missed = it.ids(killed_at + _EVERY_S, 2)

        lab.never("a period was made up", lambda: set(missed) & set(it.begun()), for_s=2 * _EVERY_S)


def test_what_beat_said_while_no_worker_was_there_is_started_later(tmp_path: Path) -> None:
    """The message waits, and its saga belongs to the period in which beat published it."""
    with celery_lab(tmp_path) as lab, scheduled(lab, SINGLE, _EVERY_S) as it:
        first = it.until_begun(1)[0]
        workers = lab.stack.workers
        assert workers is not None
        workers.held = True
        for child in list(workers.children):
            kill_session(child.pid)
        time.sleep(2 * _EVERY_S)  # periods begin, and nobody is there to start their sagas
        workers.held = False
        begun = it.until_begun(4)

    possible = it.ids(it.first_possible(), 40)
    assert begun == possible[possible.index(first) :][: len(begun)]


def test_schedules_are_kept_where_the_deployment_is() -> None:
    """Not in a worker's process on another machine, which cannot know that folder."""
    with pytest.raises(UsageError, match="on the machine of `bakeoff up`"):
        Timetable(sagalog_deployment(None))
