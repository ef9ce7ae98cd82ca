"""Copies of a step with an escalation on Dramatiq: whatever becomes of them, the saga takes one way."""

from __future__ import annotations

from typing import Any

import pytest

from bakeoff.contract.lab import Fates, Lab, Started
from bakeoff.contract.sagas import ESCALATING
from bakeoff.outcome import Status
from bakeoff_dramatiq.pipeline import forward
from bakeoff_dramatiq.state import State
from tests.engines.dramatiq_stack import context_of
from tests.engines.shared import Shared

pytestmark = pytest.mark.service

_SLOW: Fates = {"book_hotel:action": {"first": ["slow:2"]}}
_UNKNOWN: Fates = {"hasty:action": {"first": ["unknown", "unknown"]}}
_ESCALATED = ["book_flight", "hasty", "undo hasty", "patient", "after"]


@pytest.fixture(scope="module")
def lab(shared: Shared) -> Lab:
    return shared.dramatiq("escalation", broker="valkey")


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


def _escalates(started: Started) -> None:
    end = started.settled()
    assert end.outcome.status is Status.COMPLETED
    assert set(end.outcome.results) == {"book_flight", "patient", "after"}
    assert started.lab.settle(ESCALATING).outcome.status is Status.COMPLETED  # what was sent before is over
    assert started.trace().story() == _ESCALATED


def _deliver_again(started: Started, retries: int = 0) -> None:
    """The message of ``hasty``, as a broker delivers it twice."""
    state: State = {
        "workflow_id": started.workflow_id,
        "input": started.input,
        "results": {"book_flight": None},
    }
    with context_of(started.lab, ESCALATING.name) as context:
        rest: Any = forward(context.broker, ESCALATING, state, ESCALATING.stretch(1))
        if retries:
            rest.messages[0].options["retries"] = retries
        rest.run()
