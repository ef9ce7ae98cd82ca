"""The unique row of a start, and the crash between the row and the publication."""

from __future__ import annotations

import asyncio

import pytest

from bakeoff.contract import sagas
from bakeoff.contract.lab import Lab
from bakeoff.errors import ResultTimeoutError, WorkflowConflictError
from bakeoff.outcome import Status
from bakeoff_dramatiq.client import DramatiqClient
from bakeoff_dramatiq.rows import LEASE_MS
from tests.engines.dramatiq_stack import rows_of
from tests.engines.shared import Shared

pytestmark = pytest.mark.service


@pytest.fixture(scope="module")
def lab(shared: Shared) -> Lab:
    return shared.dramatiq("start", broker="valkey")


def test_start_that_crashed_before_the_publication_is_published_by_the_repeated_start(lab: Lab) -> None:
    """The row alone is a promise; the second start keeps it once the first one's lease has ended."""
    crashed = lab.prepare(sagas.TRIP)
    with rows_of(lab) as rows:
        assert rows.claim(sagas.TRIP, crashed.workflow_id, crashed.input) == "new"
    lab.never("nobody published it", lambda: crashed.trace().records, LEASE_MS / 1000 / 4)

    assert crashed.start() is False
    settled = crashed.settled()

    assert settled.outcome.status is Status.COMPLETED
    assert set(settled.counts.values()) == {1}


def test_start_that_crashed_is_running_and_not_unknown(lab: Lab) -> None:
    """Its row exists, so a client that waits is told that it has not settled."""
    crashed = lab.prepare(sagas.TRIP)
    with rows_of(lab) as rows:
        rows.claim(sagas.TRIP, crashed.workflow_id, crashed.input)

    with pytest.raises(ResultTimeoutError):
        lab.ask(lambda client: client.result(crashed.workflow_id, 0.3))


def test_start_that_crashed_still_conflicts_with_another_input(lab: Lab) -> None:
    """The digest is in the row from the first moment."""
    crashed = lab.prepare(sagas.TRIP, {"nights": 1})
    with rows_of(lab) as rows:
        rows.claim(sagas.TRIP, crashed.workflow_id, {"nights": 2})

    with pytest.raises(WorkflowConflictError, match=crashed.workflow_id):
        crashed.start()


def test_clients_that_start_the_same_saga_at_once_publish_it_once(lab: Lab) -> None:
    """One of twenty callers on two connections is told that it is new, and no step is attempted twice."""
    started = lab.prepare(sagas.TRIP)

    async def start_twenty_times() -> list[bool]:
        other = DramatiqClient(lab.stack.deployment)
        clients = [other, lab.stack.client] * 10
        try:
            starts = (client.start(sagas.TRIP, started.workflow_id, started.input) for client in clients)
            return await asyncio.gather(*starts)
        finally:
            await other.close()

    answers = lab.thread.call(start_twenty_times, 30)

    assert sorted(answers) == [False] * 19 + [True]
    assert set(started.settled().counts.values()) == {1}
