"""Dramatiq's master and its children: what a kill costs, and that the sagas get home."""

from __future__ import annotations

import os
import signal

import psutil
import pytest
import redis
from dramatiq.brokers.rabbitmq import RabbitmqBroker

from bakeoff.contract import sagas
from bakeoff.contract.lab import Lab, Started
from bakeoff.outcome import Status
from bakeoff.processes import is_gone
from bakeoff.saga import Saga
from bakeoff.world import Fate
from bakeoff_dramatiq.broker import for_pika
from tests.engines.dramatiq_stack import BROKERS, children_of, require, server
from tests.engines.shared import Shared

pytestmark = [pytest.mark.service, pytest.mark.slow]


@pytest.fixture(scope="module", params=BROKERS)
def lab(request: pytest.FixtureRequest, shared: Shared) -> Lab:
    require(request.param)
    return shared.dramatiq(f"kill-{request.param}", broker=request.param)


@pytest.fixture(scope="module")
def interrupted(lab: Lab) -> dict[str, Started]:
    """Sagas whose only worker was killed while each of them was at another place."""
    slow: Fate = {"first": ["slow:8"]}
    fates: dict[str, tuple[Saga, dict[str, Fate]]] = {
        "action": (sagas.TRIP, {"book_car:action": {**slow, "then": "decline"}}),
        "undo": (sagas.TRIP, {"book_car:action": {"then": "decline"}, "book_hotel:compensation": slow}),
        "group": (sagas.PARALLEL, {"left:action": slow, "middle:action": slow}),
    }
    started = {place: lab.start(saga, fates=fate) for place, (saga, fate) in fates.items()}
    started["action"].until_attempted("book_car")
    started["undo"].until_undo_attempted("book_hotel")
    started["group"].until_attempted("left")
    started["group"].until_attempted("middle")

    (child,) = children_of(lab)
    child.kill()
    return started


def test_killed_child_takes_its_master_along_and_both_come_back(lab: Lab) -> None:
    """The supervisor starts the command again; sagas in flight finish, each effect once."""
    assert lab.stack.workers is not None
    masters, restarts = [child.pid for child in lab.stack.workers.children], lab.stack.workers.restarts
    running = [lab.start(sagas.TRIP, fates={"book_hotel:action": {"first": ["slow:0.5"]}}) for _ in range(8)]
    running[0].until_attempted("book_hotel")

    (child,) = children_of(lab)
    child.kill()

    lab.until("the supervisor has restarted it", lambda: _restarts(lab) > restarts)
    lab.until("none of them lives", lambda: all(map(is_gone, [*masters, child.pid])))
    for started in running:
        settled = started.settled()
        assert settled.outcome.status is Status.COMPLETED
        assert settled.story == ["book_flight", "book_hotel", "book_car", "send_itinerary"]


def test_killed_master_does_not_leave_its_children_working(lab: Lab) -> None:
    """They survive their master by themselves; the supervisor ends the whole session."""
    assert lab.stack.workers is not None
    restarts = lab.stack.workers.restarts
    started = lab.start(sagas.TRIP, fates={"book_hotel:action": {"first": ["slow:0.5"]}})
    started.until_attempted("book_hotel")
    orphans = [child.pid for child in children_of(lab)]

    os.kill(lab.stack.workers.children[0].pid, signal.SIGKILL)

    lab.until("the supervisor has restarted it", lambda: _restarts(lab) > restarts)
    lab.until("the orphans are gone", lambda: not any(map(psutil.pid_exists, orphans)))
    assert started.settled().outcome.status is Status.COMPLETED


def test_step_that_was_lost_with_its_worker_and_then_declined_is_undone(
    interrupted: dict[str, Started],
) -> None:
    """The lost attempt may have had an effect, so the decline of the next one is not a pure decline (S3)."""
    settled = interrupted["action"].settled()

    assert settled.outcome.status is Status.COMPENSATED
    # Three if the step before it was delivered again as well, because its acknowledgement was lost, too.
    assert len(settled.trace.attempts("book_car")) in (2, 3)
    assert settled.story[2:] == ["undo book_car (nothing)", "undo book_hotel", "undo book_flight"]


def test_worker_killed_inside_a_compensation_goes_on_with_it(interrupted: dict[str, Started]) -> None:
    """The undo in flight is delivered again and the ones after it follow."""
    settled = interrupted["undo"].settled()

    assert settled.outcome.status is Status.COMPENSATED
    assert settled.story == ["book_flight", "book_hotel", "undo book_hotel", "undo book_flight"]


def test_worker_killed_inside_a_group_settles_it_once(interrupted: dict[str, Started]) -> None:
    """A member that is delivered again must not let the group go on before its siblings have settled."""
    settled = interrupted["group"].settled()

    assert settled.outcome.status is Status.COMPLETED
    assert sorted(settled.story[1:4]) == ["left", "middle", "right"]
    assert settled.trace.result("after")["results"].keys() == {"book_flight", "left", "middle", "right"}


def test_step_that_was_only_fetched_ahead_and_then_declined_is_not_undone(
    lab: Lab, request: pytest.FixtureRequest
) -> None:
    """A lost worker held its message, but nobody had begun with it: its decline is a pure one (S3)."""
    broker, slots = request.node.callspec.params["lab"], lab.stack.deployment.slots
    lab.until("the worker holds nothing of other tests", lambda: _held(lab, broker, 0) == 0)
    acting = [
        lab.start(sagas.TRIP, fates={"book_flight:action": {"first": ["slow:8"]}}) for _ in range(slots)
    ]
    for started in acting:
        started.until_attempted("book_flight")
    fetched = lab.start(sagas.TRIP, fates={"book_flight:action": {"then": "decline"}})
    lab.until("the worker holds all", lambda: _held(lab, broker, slots + 1) == slots + 1)

    (child,) = children_of(lab)
    child.kill()

    settled = fetched.settled()
    assert settled.outcome.status is Status.COMPENSATED
    assert settled.counts == {"book_flight": 1}
    assert {started.settled().outcome.status for started in acting} == {Status.COMPLETED}


def _held(lab: Lab, kind: str, published: int) -> int:
    """Number of messages of the main queue that the worker has fetched and not acknowledged.

    So many are ``published`` and not acknowledged; RabbitMQ only tells how many of them it still has.
    """
    address = server(lab, "broker").address
    if kind == "valkey":
        with redis.Redis.from_url(address) as client:
            keys = list(client.scan_iter(match="dramatiq:__acks__.*.sagas"))
            return sum(int(client.scard(key)) for key in keys)
    broker = RabbitmqBroker(url=for_pika(address, 0))
    try:
        return published - int(broker.channel.queue_declare("sagas", passive=True).method.message_count)
    finally:
        broker.close()


def _restarts(lab: Lab) -> int:
    assert lab.stack.workers is not None
    return lab.stack.workers.restarts
