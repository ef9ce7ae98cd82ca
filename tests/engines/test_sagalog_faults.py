"""What the saga log is there for: messages, brokers and processes that are lost."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from bakeoff.contract.lab import Lab, Started
from bakeoff.contract.sagas import APPROVAL, NAPPING, TRIP
from bakeoff.engine import EngineClient, Redrives
from bakeoff.errors import RedriveRefusedError
from bakeoff.outcome import Status
from bakeoff.processes import kill_session
from bakeoff.servers import restart_server
from bakeoff.world import Fate
from tests.engines.sagalog_stack import sagalog_lab

pytestmark = pytest.mark.service

FORWARD = ["book_flight", "book_hotel", "book_car", "send_itinerary"]
ONCE = dict.fromkeys(FORWARD, 1)
#: Longer than it takes to look into the broker, shorter than the step's timeout.
SLOW: dict[str, Fate] = {"book_flight:action": {"first": ["slow:1"]}}
SLOTS = 2
#: Longer than all of these tests together may wait for an attempt that died.
LEASE_S = 60


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with sagalog_lab(tmp_path_factory.mktemp("sagalog"), slots=SLOTS, step_lease=str(LEASE_S)) as lab:
        yield lab


def _waiting_messages(lab: Lab) -> int:
    """Commands that lie in the broker and in no worker."""
    with redis.Redis.from_url(lab.stack.servers[0].address) as broker:
        return int(broker.llen("bakeoff"))


def _busy(lab: Lab) -> list[Started]:
    """More sagas than slots, all with a slow first step: the messages of some lie in the broker."""
    started = [lab.start(TRIP, fates=SLOW) for _ in range(6 * SLOTS)]
    lab.until("messages in the broker", lambda: _waiting_messages(lab) >= SLOTS)
    return started


def test_a_lost_message_is_swept(lab: Lab) -> None:
    """Everything that lies in the broker vanishes; every saga ends as if nothing had happened."""
    started = _busy(lab)
    with redis.Redis.from_url(lab.stack.servers[0].address) as broker:
        broker.flushall()

    for end in [one.settled() for one in started]:
        assert end.outcome.status is Status.COMPLETED
        assert end.story == FORWARD
        assert end.counts == ONCE


def test_a_pool_child_that_dies_is_told_by_its_parent(lab: Lab) -> None:
    """Its attempt counts as lost when Celery looks at its pool (every 5 s), not when its lease is over."""
    started = lab.start(TRIP, fates={"book_hotel:action": {"first": ["slow:5"]}})
    (attempt,) = started.until_attempted("book_hotel").attempts("book_hotel")
    os.kill(attempt.pid, signal.SIGKILL)

    end = started.settled()
    lost, again = end.trace.attempts("book_hotel")
    assert end.outcome.status is Status.COMPLETED
    assert (lost.attempt, again.attempt) == (1, 2)
    assert again.at - lost.at < LEASE_S / 2
    told = "\n".join(f"{event.kind} {event.detail}" for event in end.started.event_history())
    assert "failed book_hotel #1: WorkerLost" in told


def test_a_step_that_kills_its_process_every_time_is_given_up(lab: Lab) -> None:
    """Attempts are counted in the log, so a poison order ends by its own policy, and is undone."""
    started = lab.start(TRIP, fates={"book_car:action": {"then": "slow:5"}})
    for times in (1, 2, 3):
        attempts = started.until_attempted("book_car", times).attempts("book_car")
        os.kill(attempts[-1].pid, signal.SIGKILL)

    end = started.settled()
    assert end.outcome.status is Status.COMPENSATED
    assert end.outcome.cause is not None
    assert (end.outcome.cause.type, end.outcome.cause.step) == ("WorkerLost", "book_car")
    assert end.counts["book_car"] == 3
    assert end.story[-3:] == ["undo book_car (nothing)", "undo book_hotel", "undo book_flight"]


def test_an_undo_that_gave_up_begins_anew_when_it_is_redriven(lab: Lab) -> None:
    """Once its reason is gone the saga is compensated after all; the other undos are not made again."""
    broken: Fate = {"first": ["fault"] * 3}
    end = lab.settle(
        TRIP, fates={"send_itinerary:action": {"then": "decline"}, "book_hotel:compensation": broken}
    )
    assert end.outcome.status is Status.COMPENSATION_FAILED

    async def redrive(client: EngineClient) -> str:
        assert isinstance(client, Redrives)
        return await client.redrive(end.started.workflow_id)

    assert lab.ask(redrive) == "undoing book_hotel begins anew"
    lab.until("compensated", lambda: end.started.describe().status is Status.COMPENSATED)
    again = end.started.settled()
    assert again.outcome.failed_compensations == ()
    assert again.story == [*end.story, "undo book_hotel"]
    with pytest.raises(RedriveRefusedError, match="nothing to redrive"):
        lab.ask(redrive)


def test_sagas_go_on_when_the_broker_was_killed_and_emptied(lab: Lab) -> None:
    """Nothing of what was in it is needed: neither by who acts, nor by who sleeps, waits, or has its turn."""
    sleeping, waiting = lab.start(NAPPING), lab.start(APPROVAL)
    waiting.until_done("book_flight")
    sleeping.until_done("book_flight")
    started = _busy(lab)
    _kill_and_empty(lab)
    accepted = lab.start(TRIP)
    waiting.signal("approved")

    for end in [one.settled() for one in (*started, accepted)]:
        assert end.outcome.status is Status.COMPLETED
        assert end.counts == ONCE
    assert sleeping.settled().story == ["book_flight", "book_hotel"]
    assert waiting.settled().story == ["book_flight", "after"]


def _kill_and_empty(lab: Lab) -> None:
    broker = lab.stack.servers[0]
    assert broker.child is not None
    assert broker.folder is not None
    kill_session(broker.child.pid)
    data: Path = broker.folder
    shutil.rmtree(data)
    data.mkdir()
    assert not any(data.iterdir()), "nothing of what the broker held is left"
    lab.thread.call(lambda: restart_server(broker, lab.stack.launcher), 60)
