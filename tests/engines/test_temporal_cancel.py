"""Cancels at the moments that Temporal itself cannot tell apart."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bakeoff.contract import sagas
from bakeoff.contract.lab import Lab
from bakeoff.outcome import Status
from tests.engines.temporal_stack import temporal_lab

pytestmark = pytest.mark.service


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One worker with one slot: a second saga's step has to queue."""
    with temporal_lab(tmp_path_factory.mktemp("temporal-cancel"), "cancel", slots=1) as lab:
        yield lab


def test_step_that_never_started_is_not_compensated(lab: Lab) -> None:
    """A step that still queues when the cancel comes may not be "undone" without an attempt."""
    slow = lab.start(sagas.TRIP, fates={"book_flight:action": {"first": ["slow:2"]}})
    slow.until_attempted("book_flight")
    queued = lab.start(sagas.TRIP)
    lab.until("its first step is scheduled", lambda: queued.describe().current_step == "book_flight")

    queued.cancel()
    settled = queued.settled()

    assert settled.outcome.status is Status.COMPENSATED
    assert settled.outcome.cause is not None
    assert settled.outcome.cause.type == "Cancelled"
    undone = [record for record in settled.trace.records if record.kind == "nothing"]
    assert undone == []
    assert slow.settled().outcome.status is Status.COMPLETED


def test_step_between_two_attempts_is_cut_short_and_compensated(lab: Lab) -> None:
    """A faulted step is not retried any more, and is compensated because it may have had an effect."""
    started = lab.start(sagas.TRIP, fates={"book_hotel:action": {"first": ["slow:1.5"], "then": "fault"}})
    started.until_attempted("book_hotel")

    started.cancel()
    settled = started.settled()

    assert settled.outcome.status is Status.COMPENSATED
    assert settled.trace.attempts("book_hotel", "compensation")
    assert settled.trace.attempts("book_flight", "compensation")
