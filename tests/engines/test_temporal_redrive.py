"""Where Temporal's redrive resets a workflow to; ``tests/cli`` has the verb itself."""

from __future__ import annotations

from typing import Any

import pytest

from bakeoff.contract import sagas
from bakeoff.contract.lab import Lab, Started
from bakeoff.errors import RedriveRefusedError
from bakeoff.outcome import Status
from bakeoff.world import Fate
from tests.engines import replay_sagas
from tests.engines.shared import Shared

pytestmark = pytest.mark.service

_DECLINED: Fate = {"then": "decline"}
_BROKEN: Fate = {"then": "fault"}


@pytest.fixture(scope="module")
def lab(shared: Shared) -> Lab:
    return shared.temporal("redrive")


def test_a_reset_repeats_what_came_after_the_undo_and_nothing_before(lab: Lab) -> None:
    fates = {
        "book_car:action": _DECLINED,
        "book_flight:compensation": _BROKEN,
        "book_hotel:compensation": _BROKEN,
    }
    started = lab.start(sagas.TRIP, fates=fates)
    assert started.outcome().failed_compensations == ("book_hotel", "book_flight")
    lab.stack.world.set_fate(started.workflow_id, {"book_car:action": _DECLINED})

    assert "before the compensation of book_flight" in _redrive(started, "book_flight")
    assert started.outcome().failed_compensations == ("book_hotel",)
    assert "before the compensation of book_hotel" in _redrive(started)
    end = started.settled()
    assert end.outcome.status is Status.COMPENSATED
    assert end.outcome.cause is not None
    assert end.outcome.cause.step == "book_car"
    # The undo of the flight comes after that of the hotel, so it was asked for once more.
    assert end.counts == {
        "book_flight": 1,
        "book_hotel": 1,
        "book_car": 1,
        "undo book_hotel": 4,
        "undo book_flight": 5,
    }
    assert [word for word in end.story if word.startswith("undo")] == ["undo book_flight", "undo book_hotel"]


def test_a_reset_before_the_undo_of_an_exhausted_step_goes_back_and_not_on(lab: Lab) -> None:
    """What stands before it is undone already: its escalation has no ground any more."""
    fates = {"hasty:action": _BROKEN, "hasty:compensation": _BROKEN}
    started = lab.start(sagas.ESCALATING, fates=fates)
    assert started.outcome().failed_compensations == ("hasty",)
    lab.stack.world.set_fate(started.workflow_id, {"hasty:action": _BROKEN})

    assert "before the compensation of hasty" in _redrive(started)
    end = started.settled()
    assert end.outcome.status is Status.COMPENSATED
    assert end.outcome.cause is not None
    assert end.outcome.cause.step == "hasty"
    assert "patient" not in end.counts
    assert end.story == ["book_flight", "undo book_flight", "undo hasty (nothing)"]


def test_only_the_run_that_counts_is_listed(lab: Lab) -> None:
    """A reset leaves the run that it replaces in the server's list, as failed."""
    fates = {"book_car:action": _DECLINED, "book_hotel:compensation": _BROKEN}
    started = lab.start(sagas.TRIP, fates=fates)
    assert started.outcome().status is Status.COMPENSATION_FAILED
    lab.until("it is listed", lambda: started.listed(Status.COMPENSATION_FAILED))
    lab.stack.world.set_fate(started.workflow_id, {"book_car:action": _DECLINED})

    _redrive(started)
    assert started.outcome().status is Status.COMPENSATED
    lab.until("the new run is listed", lambda: started.listed(Status.COMPENSATED))
    assert started.listed(Status.COMPENSATION_FAILED) is None
    assert not started.start()  # the id is still taken


def test_what_runs_is_left_to_the_server(lab: Lab) -> None:
    waiting = lab.start(replay_sagas.WAIT)
    waiting.until_done("one")

    with pytest.raises(RedriveRefusedError, match="the server tries for itself"):
        _redrive(waiting)
    waiting.signal("word")
    assert waiting.outcome().status is Status.COMPLETED
    with pytest.raises(RedriveRefusedError, match="nothing to redrive"):
        _redrive(waiting)


def _redrive(started: Started, step: str | None = None) -> str:
    client: Any = started.lab.stack.client
    answer = started.lab.ask(lambda _: client.redrive(started.workflow_id, step))
    assert isinstance(answer, str)
    return answer
