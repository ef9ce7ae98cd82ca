"""S10: what was acknowledged as started survives what the engine declares."""

from __future__ import annotations

import pytest

from bakeoff.contract.lab import Lab, Settled
from bakeoff.contract.sagas import TRIP
from bakeoff.engine import Capability, Survives
from bakeoff.outcome import Status
from bakeoff.processes import kill_session

pytestmark = [pytest.mark.disruptive, pytest.mark.timeout(300), pytest.mark.requires(Capability.OUTCOME)]


def _net(end: Settled) -> list[str]:
    """Without undos of nothing: a step whose attempt died with a process may be compensated itself (S3)."""
    return [word for word in end.story if not word.endswith("(nothing)")]


@pytest.mark.requires(Survives.WORKER_KILL)
def test_acknowledged_sagas_survive_the_kill_of_all_workers(lab: Lab) -> None:
    """SIGKILL while steps act; new workers finish every saga, and nothing takes effect twice."""
    slow = {"book_hotel:action": {"first": ["slow:1"]}}
    started = [lab.start(TRIP, fates=slow) for _ in range(3)]  # type: ignore[arg-type]
    started += [
        lab.start(TRIP, fates={**slow, "book_car:action": {"then": "decline"}})  # type: ignore[dict-item]
        for _ in range(3)
    ]
    started[0].until_attempted("book_hotel")
    workers = lab.stack.workers
    assert workers is not None, "an engine without workers cannot declare that it survives their kill"
    for child in list(workers.children):
        kill_session(child.pid)
    ends = [one.settled(2 * lab.patience_s) for one in started]

    forward = ["book_flight", "book_hotel", "book_car", "send_itinerary"]
    for end in ends[:3]:
        assert end.outcome.status is Status.COMPLETED
        assert end.story == forward
    for end in ends[3:]:
        assert end.outcome.status is Status.COMPENSATED
        assert _net(end) == ["book_flight", "book_hotel", "undo book_hotel", "undo book_flight"]
    lab.until("new workers", lambda: workers.restarts)


@pytest.mark.requires(Survives.BROKER_KILL)
def test_acknowledged_sagas_survive_the_kill_of_the_broker(lab: Lab) -> None:
    """SIGKILL while steps act and sagas wait their turn; back on the same data, every saga is finished."""
    slow = {"book_hotel:action": {"first": ["slow:1"]}}
    started = [lab.start(TRIP, fates=slow) for _ in range(6)]  # type: ignore[arg-type]
    started += [lab.start(TRIP, fates={"book_car:action": {"then": "decline"}}) for _ in range(2)]
    started[0].until_attempted("book_hotel")
    lab.kill_broker()
    ends = [one.settled(2 * lab.patience_s) for one in started]

    for end in ends[:6]:
        assert end.outcome.status is Status.COMPLETED
        assert end.story == ["book_flight", "book_hotel", "book_car", "send_itinerary"]
    for end in ends[6:]:
        assert end.outcome.status is Status.COMPENSATED
        assert _net(end) == ["book_flight", "book_hotel", "undo book_hotel", "undo book_flight"]
