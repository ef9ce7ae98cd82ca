"""What a client can do, and is told, while no worker runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bakeoff.contract import sagas
from bakeoff.contract.lab import Lab
from bakeoff.outcome import Status
from tests.engines.temporal_stack import temporal_lab

pytestmark = pytest.mark.service


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with temporal_lab(tmp_path_factory.mktemp("temporal-absent"), "absent") as lab:
        yield lab


@contextmanager
def _no_worker(lab: Lab) -> Iterator[None]:
    workers = lab.stack.workers
    assert workers is not None
    lab.thread.call(workers.stop, 30)
    yield
    lab.thread.call(lambda: workers.start(1), 30)


def test_cancel_before_the_first_step_undoes_nothing(lab: Lab) -> None:
    """Start and cancel reach the workflow in the same moment: no step is ever attempted."""
    with _no_worker(lab):
        started = lab.start(sagas.TRIP)
        started.cancel()
    settled = started.settled()

    assert settled.outcome.status is Status.COMPENSATED
    assert settled.outcome.cause is not None
    assert settled.outcome.cause.type == "Cancelled"
    assert settled.trace.records == []


def test_describe_tells_that_no_worker_answers(lab: Lab) -> None:
    """What only the workflow knows is said to be unknown, with the reason; the rest is told."""
    with _no_worker(lab):
        started = lab.start(sagas.APPROVAL)
        description = started.describe()

    assert description.status is Status.RUNNING
    assert description.saga == "approval"
    assert description.awaiting is None
    assert description.unknown == {"awaiting": "no worker answered the query"}
    started.signal("approved", True)
    assert started.settled().outcome.status is Status.COMPLETED


def test_started_sagas_wait_for_a_worker(lab: Lab) -> None:
    """A start is acknowledged without any worker and carried out when one comes."""
    with _no_worker(lab):
        started = [lab.start(sagas.TRIP) for _ in range(5)]

    assert {one.settled().outcome.status for one in started} == {Status.COMPLETED}
