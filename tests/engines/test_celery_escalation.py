"""Copies of a step with an escalation on Celery: whatever becomes of them, the saga takes one way."""

from __future__ import annotations

from typing import Any

import pytest
from billiard.exceptions import WorkerLostError

from bakeoff.contract.lab import Fates, Lab, Started
from bakeoff.contract.sagas import ESCALATING
from bakeoff.outcome import Status
from bakeoff_celery.canvas import forward
from bakeoff_celery.state import State, StepFailed
from tests.engines.shared import Shared

pytestmark = pytest.mark.service

_SLOW: Fates = {"book_hotel:action": {"first": ["slow:2"]}}
_UNKNOWN: Fates = {"hasty:action": {"first": ["unknown", "unknown"]}}
_ESCALATED = ["book_flight", "hasty", "undo hasty", "patient", "after"]


@pytest.fixture(scope="module")
def lab(shared: Shared) -> Lab:
    return shared.celery("escalation", broker="valkey")


def test_a_copy_that_meets_the_undo_of_its_effect_does_not_go_on(lab: Lab) -> None:
    """The stored result is that of an effect which is gone."""
    started = lab.start(ESCALATING, fates={**_UNKNOWN, "patient:action": {"first": ["slow:2"]}})
    started.until_attempted("patient")
    _deliver_again(started)
    started.until_attempted("hasty", 3)

    _escalates(started)


def test_a_copy_that_succeeds_before_that_undo_does_not_go_on(lab: Lab) -> None:
    """Which of the two ways it is has been decided by then."""
    started = lab.start(ESCALATING, fates={**_UNKNOWN, "hasty:compensation": {"first": ["slow:2"]}})
    started.until_undo_attempted("hasty")
    _deliver_again(started)
    started.until_attempted("hasty", 3)

    _escalates(started)


def test_a_copy_that_fails_last_does_not_escalate_beside_the_one_that_succeeded(lab: Lab) -> None:
    """It is tried again, for nobody knows whether the one that succeeded has told the next one."""
    started = lab.start(ESCALATING, fates={**_SLOW, "hasty:action": {"first": ["fault", "ok", "fault"]}})
    started.until_attempted("book_hotel")
    _deliver_again(started, retries=1)
    started.until_attempted("hasty", 4)

    end = started.settled()
    assert end.outcome.status is Status.COMPLETED
    assert end.story == ["book_flight", "hasty", "book_hotel", "send_itinerary"]
    assert "undo hasty" not in end.counts


def test_an_exhausted_copy_begins_no_shorter_way_back(lab: Lab) -> None:
    """The escalation was declined, and its way back undoes all that this one would."""
    fates: Fates = {
        "hasty:action": {"then": "fault"},
        "patient:action": {"then": "decline"},
        "book_flight:compensation": {"first": ["slow:1"]},
    }
    started = lab.start(ESCALATING, fates=fates)
    started.until_undo_attempted("book_flight")
    _deliver_again(started, retries=1)
    started.until_attempted("hasty", 3)

    end = started.settled()
    assert end.outcome.cause is not None
    assert end.outcome.cause.step == "patient"
    _quiet(lab)
    assert started.trace().attempt_counts()["undo book_flight"] == 1


@pytest.mark.filterwarnings("ignore:Call to deprecated setex")  # Celery's, from this process for once
@pytest.mark.parametrize("exhausted", [False, True], ids=["declined", "exhausted"])
def test_what_a_step_has_said_outlives_its_process(lab: Lab, exhausted: bool) -> None:
    """A decline at the last attempt must not look like exhaustion, which escalates."""
    client: Any = lab.stack.client
    backend: Any = client._app.backend
    id = f"{lab.new_id()}:hasty"
    backend.mark_as_failure(id, StepFailed("BusinessError", "no", "hasty", False, exhausted))
    backend.mark_as_failure(id, WorkerLostError("killed"))

    said = backend.get_task_meta(id, cache=False)["result"]
    assert isinstance(said, StepFailed)
    assert said.args == ("BusinessError", "no", "hasty", True, exhausted)


def _escalates(started: Started) -> None:
    end = started.settled()
    assert end.outcome.status is Status.COMPLETED
    assert set(end.outcome.results) == {"book_flight", "patient", "after"}
    _quiet(started.lab)
    assert started.trace().story() == _ESCALATED


def _quiet(lab: Lab) -> None:
    """What was sent before another saga has been worked off when that one is over."""
    assert lab.settle(ESCALATING).outcome.status is Status.COMPLETED


def _deliver_again(started: Started, retries: int = 0) -> None:
    """The message of ``hasty``, as a broker delivers it twice."""
    client: Any = started.lab.stack.client
    state: State = {"id": started.workflow_id, "input": started.input, "results": {"book_flight": None}}
    deployment, rest = started.lab.stack.deployment, ESCALATING.stretch(1)
    forward(client._app, deployment, ESCALATING, state, rest, retries=retries, countdown_s=0).apply_async()
