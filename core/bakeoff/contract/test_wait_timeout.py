"""S2: a wait whose signal does not come in time fails the saga or goes on, as it was defined."""

from __future__ import annotations

import time

import pytest

from bakeoff.contract.lab import Lab, Started
from bakeoff.contract.sagas import LONG_WAIT, LONG_WAIT_OR_FAIL, WAIT, WAIT_OR_FAIL, WAIT_OR_GO_ON
from bakeoff.engine import Capability
from bakeoff.errors import SignalRejectedError
from bakeoff.outcome import Status

pytestmark = pytest.mark.requires(Capability.SIGNALS, Capability.WAIT_TIMEOUT, Capability.OUTCOME)


@pytest.mark.requires(Capability.COMPENSATION)
@pytest.mark.early(WAIT_OR_FAIL, {})
def test_wait_that_times_out_fails_the_saga(early: Started) -> None:
    """It is compensated, not before its time, and the cause names the wait."""
    end = early.settled()

    assert end.outcome.status is Status.COMPENSATED
    assert end.story == ["book_flight", "undo book_flight"]
    assert end.outcome.cause is not None
    assert (end.outcome.cause.type, end.outcome.cause.step) == ("WaitTimeout", "approved")
    waited = end.trace.attempts("book_flight", "compensation")[0].at - end.trace.effect("book_flight").at
    assert waited >= WAIT.total_seconds() - 0.01


@pytest.mark.early(WAIT_OR_GO_ON, {})
def test_wait_that_times_out_goes_on(early: Started) -> None:
    """With no payload, and not before its time."""
    end = early.settled()

    assert end.outcome.status is Status.COMPLETED
    assert end.story == ["book_flight", "after"]
    assert end.trace.result("after")["results"].get("approved") is None
    waited = end.trace.attempts("after")[0].at - end.trace.effect("book_flight").at
    assert waited >= WAIT.total_seconds() - 0.01


def test_signal_in_time_beats_the_timeout(lab: Lab) -> None:
    """The saga goes on with the payload, and when the time is over nothing happens."""
    started = lab.start(LONG_WAIT_OR_FAIL)
    started.signal("approved", "in time")
    end = started.settled()

    assert end.outcome.status is Status.COMPLETED
    assert end.trace.result("after")["results"]["approved"] == "in time"
    over = end.trace.effect("book_flight").at + LONG_WAIT.total_seconds() + 0.7
    left = max(0.0, over - time.time())
    lab.never("the timeout struck later", lambda: len(started.trace().story()) > 2, for_s=left)


@pytest.mark.early(WAIT_OR_GO_ON, {})
def test_signal_after_the_timeout_is_rejected(early: Started) -> None:
    """The saga has gone on without it."""
    end = early.settled()

    with pytest.raises(SignalRejectedError):
        end.started.signal("approved", "too late")
