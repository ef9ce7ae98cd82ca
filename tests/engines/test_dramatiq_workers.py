"""Dramatiq's master and its children: what a kill costs, and that the sagas get home."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import redis
from dramatiq.brokers.rabbitmq import RabbitmqBroker

from bakeoff.contract import sagas
from bakeoff.contract.lab import Lab
from bakeoff.outcome import Status
from bakeoff_dramatiq.broker import for_pika
from tests.engines.dramatiq_stack import BROKERS, children_of, dramatiq_lab, require, server

pytestmark = [pytest.mark.service, pytest.mark.slow]


@pytest.fixture(scope="module", params=BROKERS)
def lab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    require(request.param)
    folder = tmp_path_factory.mktemp(f"dramatiq-{request.param}")
    with dramatiq_lab(folder, f"kill-{request.param}", overrides={"broker": request.param}) as lab:
        yield lab


def test_killed_child_takes_its_master_along_and_both_come_back(lab: Lab) -> None:
    """The supervisor starts the command again; sagas in flight finish, each effect once."""
    assert lab.stack.workers is not None
    masters, restarts = [child.pid for child in lab.stack.workers.children], lab.stack.workers.restarts
    running = [lab.start(sagas.TRIP, fates={"book_hotel:action": {"first": ["slow:0.5"]}}) for _ in range(8)]
    running[0].until_attempted("book_hotel")

    (child,) = children_of(lab)
    child.kill()

    lab.until("the supervisor has restarted it", lambda: _restarts(lab) > restarts)
    assert not any(psutil.pid_exists(pid) for pid in [*masters, child.pid])
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


def test_step_that_was_lost_with_its_worker_and_then_declined_is_undone(lab: Lab) -> None:
    """The lost attempt may have had an effect, so the decline of the next one is not a pure decline (S3)."""
    started = lab.start(sagas.TRIP, fates={"book_car:action": {"first": ["slow:5"], "then": "decline"}})
    started.until_attempted("book_car")

    (child,) = children_of(lab)
    child.kill()
    settled = started.settled()

    assert settled.outcome.status is Status.COMPENSATED
    # Three if the step before it was delivered again as well, because its acknowledgement was lost, too.
    assert len(settled.trace.attempts("book_car")) in (2, 3)
    assert settled.story[2:] == ["undo book_car (nothing)", "undo book_hotel", "undo book_flight"]


def test_worker_killed_inside_a_compensation_goes_on_with_it(lab: Lab) -> None:
    """The undo in flight is delivered again and the ones after it follow."""
    fates = {"book_car:action": {"then": "decline"}, "book_hotel:compensation": {"first": ["slow:3"]}}
    started = lab.start(sagas.TRIP, fates=fates)  # type: ignore[arg-type]
    started.until_undo_attempted("book_hotel")

    (child,) = children_of(lab)
    child.kill()
    settled = started.settled()

    assert settled.outcome.status is Status.COMPENSATED
    assert settled.story == ["book_flight", "book_hotel", "undo book_hotel", "undo book_flight"]


def test_worker_killed_inside_a_group_settles_it_once(lab: Lab) -> None:
    """A member that is delivered again must not let the group go on before its siblings have settled."""
    fates = {"left:action": {"first": ["slow:1.5"]}, "middle:action": {"first": ["slow:1.5"]}}
    started = lab.start(sagas.PARALLEL, fates=fates)  # type: ignore[arg-type]
    started.until_attempted("left")
    started.until_attempted("middle")

    (child,) = children_of(lab)
    child.kill()
    settled = started.settled()

    assert settled.outcome.status is Status.COMPLETED
    assert sorted(settled.story[1:4]) == ["left", "middle", "right"]
    assert settled.trace.result("after")["results"].keys() == {"book_flight", "left", "middle", "right"}


@pytest.mark.parametrize("broker", BROKERS)
def test_step_that_was_only_fetched_ahead_and_then_declined_is_not_undone(
    broker: str, tmp_path: Path
) -> None:
    """A lost worker held its message, but nobody had begun with it: its decline is a pure one (S3)."""
    require(broker)
    with dramatiq_lab(tmp_path, f"ahead-{broker}", overrides={"broker": broker}, slots=1) as lab:
        acting = lab.start(sagas.TRIP, fates={"book_flight:action": {"first": ["slow:4"]}})
        acting.until_attempted("book_flight")
        fetched = lab.start(sagas.TRIP, fates={"book_flight:action": {"then": "decline"}})
        lab.until("the worker holds both", lambda: _held(lab, broker) >= 2)

        (child,) = children_of(lab)
        child.kill()

        settled = fetched.settled()
        assert settled.outcome.status is Status.COMPENSATED
        assert settled.counts == {"book_flight": 1}
        assert acting.settled().outcome.status is Status.COMPLETED


def _held(lab: Lab, kind: str) -> int:
    """Number of messages of the main queue that the worker has fetched and not acknowledged."""
    address = server(lab, "broker").address
    if kind == "valkey":
        with redis.Redis.from_url(address) as client:
            keys = list(client.scan_iter(match="dramatiq:__acks__.*.sagas"))
            return sum(int(client.scard(key)) for key in keys)
    # A passive declaration tells how many messages are ready; two were published, and none is left.
    broker = RabbitmqBroker(url=for_pika(address, 0))
    try:
        waiting = broker.channel.queue_declare("sagas", passive=True).method.message_count
        return 2 if waiting == 0 else 0
    finally:
        broker.close()


def _restarts(lab: Lab) -> int:
    assert lab.stack.workers is not None
    return lab.stack.workers.restarts
