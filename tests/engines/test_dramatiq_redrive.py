"""What Dramatiq's redrive finds a saga by, and its dead letters, on each broker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pika  # type: ignore[import-untyped]
import pytest

from bakeoff.contract import sagas
from bakeoff.contract.lab import Lab, Started
from bakeoff.errors import RedriveRefusedError, SignalRejectedError
from bakeoff.outcome import DeadLetter, Status
from bakeoff.processes import kill_session
from bakeoff.world import Fate
from bakeoff_dramatiq.broker import make_broker, queue_name
from bakeoff_dramatiq.client import DramatiqClient
from bakeoff_dramatiq.redriving import _exhausted_before
from bakeoff_dramatiq.valkey_broker import ValkeyBroker
from tests.engines import replay_sagas
from tests.engines.dramatiq_stack import BROKERS, context_of, dramatiq_lab, require, rows_of

pytestmark = pytest.mark.service

_DECLINED: Fate = {"then": "decline"}
_BROKEN: Fate = {"then": "fault"}
_SLOW: Fate = {"first": ["slow:3"]}


@pytest.fixture(scope="module", params=BROKERS)
def lab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """An engine of our own: its workers are killed, and what lies in its queues is poisoned."""
    require(request.param)
    folder = tmp_path_factory.mktemp("redrive")
    with dramatiq_lab(folder, "redrive", overrides={"broker": request.param}) as lab:
        yield lab


def test_undos_that_gave_up_are_published_again(lab: Lab) -> None:
    """Only those, in reverse; the client's outcome is the new one."""
    fates = {
        "book_car:action": _DECLINED,
        "book_flight:compensation": _BROKEN,
        "book_hotel:compensation": _BROKEN,
    }
    started = lab.start(sagas.TRIP, fates=fates)
    assert started.outcome().status is Status.COMPENSATION_FAILED
    lab.stack.world.set_fate(started.workflow_id, {"book_car:action": _DECLINED})

    assert _redrive(started, "book_hotel") == "published the undo of book_hotel again"
    assert started.outcome().failed_compensations == ("book_flight",)
    assert _redrive(started) == "published the undo of book_flight again"
    end = started.settled()
    assert end.outcome.status is Status.COMPENSATED
    assert end.outcome.cause is not None
    assert end.outcome.cause.step == "book_car"
    assert end.story[-2:] == ["undo book_hotel", "undo book_flight"]
    with pytest.raises(RedriveRefusedError, match="nothing to redrive"):
        _redrive(started)


def test_a_lost_way_back_begins_again_by_the_dead_letter(lab: Lab) -> None:
    fates = {"book_car:action": _DECLINED, "book_hotel:compensation": _SLOW}
    started = lab.start(sagas.TRIP, fates=fates)
    started.until_undo_attempted("book_hotel")
    if _on_valkey(lab):
        with pytest.raises(RedriveRefusedError, match="is in the queue or with a worker"):
            _redrive(started)
    _lose_everything_in_flight(lab)

    assert "published all undos again, from the dead letter of book_car" in _redrive(started)
    end = started.settled()
    assert end.outcome.status is Status.COMPENSATED
    assert end.story == ["book_flight", "book_hotel", "undo book_hotel", "undo book_flight"]


def test_a_declined_step_is_not_tried_again(lab: Lab) -> None:
    """Its request for compensation is lost, or waits: it would act although the saga turns back."""
    started = lab.settle(sagas.TRIP, fates={"book_hotel:action": {"first": ["decline"]}}).started
    before = started.trace()
    with rows_of(lab) as rows:  # as if nobody had answered that request
        key = rows.saga_key(started.workflow_id)
        rows.client.hdel(key, "outcome", "compensating", "rank")

    # The worker may not have acknowledged the last message of the saga yet.
    told = lab.until("nothing of it is in flight", lambda: _redrive_unless_in_flight(started))
    assert "asked for compensation again, by the dead letter of book_hotel" in told
    end = started.settled()
    assert end.outcome.status is Status.COMPENSATED
    assert end.outcome.cause is not None
    assert end.outcome.cause.step == "book_hotel"
    assert end.story == before.story() == ["book_flight", "undo book_flight"]
    assert len(end.trace.attempts("book_hotel")) == 1


def test_a_lost_saga_passes_its_wait_again(lab: Lab) -> None:
    """By the signal that it was given; nobody has to repeat that."""
    started = lab.start(sagas.APPROVAL, fates={"after:action": _SLOW})
    started.signal("approved", {"by": "Ada"})
    started.until_attempted("after")
    _lose_everything_in_flight(lab)

    assert "published its pipeline again from the start" in _redrive(started)
    assert started.outcome().status is Status.COMPLETED


def test_a_message_that_no_worker_knew_goes_on_once_one_does(lab: Lab) -> None:
    """A client of the next version was faster than its workers."""
    stack = lab.stack
    newer = replace(stack.deployment, sagas=(*stack.deployment.sagas, "tests.engines.replay_sagas"))
    client = lab.thread.call(lambda: _connected(newer), 20)
    try:
        started = Started(lab, replay_sagas.STEPS, lab.new_id(), None)
        assert lab.ask(lambda _: client.start(replay_sagas.STEPS, started.workflow_id, None))
        letter = _letter(lab, client, lambda one: one.workflow_id == started.workflow_id)
        assert (letter.is_open, letter.saga_status) == (True, Status.RUNNING)
        newer.save(stack.deployment_file)
        _kill_workers(lab)

        back = lab.ask(lambda _: client.requeue(letter.message_id))
        assert back.what == "replay-steps.one"
        outcome = lab.ask(lambda _: client.result(started.workflow_id, 20), 30)
        assert outcome.status is Status.COMPLETED
    finally:
        lab.thread.call(client.close, 20)


def test_a_message_that_cannot_be_read_is_shown_and_not_put_back(lab: Lab) -> None:
    _publish_garbage(lab)
    client: Any = lab.stack.client
    letter = _letter(lab, client, lambda one: one.what is None)

    assert letter.is_open
    assert "cannot be decoded" in letter.reason
    with pytest.raises(RedriveRefusedError, match="cannot be decoded"):
        lab.ask(lambda _: client.requeue(letter.message_id))
    assert lab.settle(sagas.TRIP).outcome.status is Status.COMPLETED  # others go on beside it


def test_a_lost_escalation_begins_again_by_the_dead_letter(lab: Lab) -> None:
    """From the start the exhausted step would meet its own undo, and be declined."""
    started = lab.start(sagas.ASKING, fates={"hasty:action": _BROKEN, "after:action": _SLOW})
    started.until_done("patient")
    started.signal("answer", "yes")
    started.until_attempted("after")
    _lose_everything_in_flight(lab)

    assert "began the escalation of hasty again, from its dead letter" in _redrive(started)
    with pytest.raises(SignalRejectedError):  # a wait of the way that was left
        started.signal("asked", "to nobody", signal_id="other")
    end = started.settled()
    assert end.outcome.status is Status.COMPLETED
    assert end.story == ["undo hasty (nothing)", "patient", "after"]


def test_a_lost_way_back_from_an_exhausted_step_does_not_escalate(lab: Lab) -> None:
    """Its own undo gave up the first time; now it would not, and steps before it are undone already."""
    broken: Fate = {"then": "fault"}
    fates = {"hasty:action": broken, "hasty:compensation": broken, "book_flight:compensation": _SLOW}
    started = lab.start(sagas.ESCALATING, fates=fates)
    started.until_undo_attempted("book_flight")
    _lose_everything_in_flight(lab)
    lab.stack.world.set_fate(started.workflow_id, {"hasty:action": broken})

    assert "published all undos again, from the dead letter of hasty" in _redrive(started)
    end = started.settled()
    assert end.outcome.status is Status.COMPENSATED
    assert end.story == ["book_flight", "undo hasty (nothing)", "undo book_flight"]


def test_what_lies_behind_a_saga_depends_on_the_way_that_it_took(lab: Lab) -> None:
    """An element of the ordinary way is reached by nobody's exhaustion, whatever the row says."""
    with context_of(lab, sagas.ESCALATING.name) as context:
        for element, exhausted in (
            ("book_hotel", None),
            ("hasty", None),
            ("patient", "hasty"),
            ("after", "hasty"),
        ):
            assert _exhausted_before(context, {"escalated": "hasty"}, element) == exhausted
            assert _exhausted_before(context, {}, element) is None


def test_copies_of_an_exhausted_step_do_not_turn_back_beside_its_escalation(lab: Lab) -> None:
    """A message that is delivered twice meets the tombstone and is declined: too late."""
    started = lab.settle(sagas.ESCALATING).started
    with rows_of(lab) as rows:
        id = started.workflow_id
        rows.client.hdel(rows.saga_key(id), "outcome")
        rows.client.hdel(rows.saga_key(id), "passed:hasty")
        rank = 2 * 1 + 1
        assert rows.escalate(id, "first", "hasty") == "go"
        assert rows.escalate(id, "first", "hasty") == "go", "a redelivered request"
        assert rows.escalate(id, "copy", "hasty") == "gone"
        assert not rows.may_pass(id, "hasty"), "a copy that succeeds"
        assert not rows.compensate(id, "copy, declined", rank, escalating=["hasty"])
        assert rows.go_on(id)
        assert not rows.compensate(id, "copy, whose undo gave up", rank, not_on=True)
        assert rows.compensate(id, "of the escalation", 2 * 4)
        assert not rows.go_on(id), "it turns back"


async def _connected(deployment: Any) -> DramatiqClient:
    return await asyncio.to_thread(DramatiqClient, deployment)


def _redrive(started: Started, step: str | None = None) -> str:
    client: Any = started.lab.stack.client
    answer = started.lab.ask(lambda _: client.redrive(started.workflow_id, step))
    assert isinstance(answer, str)
    return answer


def _redrive_unless_in_flight(started: Started) -> str | None:
    try:
        return _redrive(started)
    except RedriveRefusedError as refused:
        if "in the queue or with a worker" not in str(refused):
            raise
        return None


def _letter(lab: Lab, client: Any, wanted: Callable[[DeadLetter], bool]) -> DeadLetter:
    def look() -> DeadLetter | None:
        return next((one for one in lab.ask(lambda _: client.dead_letters(1000)) if wanted(one)), None)

    return lab.until("a dead letter", look)


def _on_valkey(lab: Lab) -> bool:
    return bool(lab.stack.deployment.settings["broker"] == "valkey")


def _kill_workers(lab: Lab) -> None:
    workers = lab.stack.workers
    assert workers is not None
    before = workers.restarts
    for child in list(workers.children):
        kill_session(child.pid)
    lab.until("new workers", lambda: workers.restarts > before and not workers.not_ready())


def _lose_everything_in_flight(lab: Lab) -> None:
    """Kill the workers, and what they held goes with them; dead letters stay."""
    broker: Any = make_broker(lab.stack.deployment)
    queue = queue_name(lab.stack.deployment)
    workers = lab.stack.workers
    assert workers is not None
    try:
        if isinstance(broker, ValkeyBroker):
            base = f"{broker.namespace}:{queue}"
            broker.client.delete(base, f"{base}.msgs", f"{base}.DQ", f"{base}.DQ.msgs")
            _kill_workers(lab)
            return
        before = workers.restarts
        workers.held = True  # until RabbitMQ has it back, nobody may take it
        try:
            for child in list(workers.children):
                kill_session(child.pid)
            lab.until("RabbitMQ has it back", lambda: _purged(broker, queue))
        finally:
            workers.held = False
        lab.until("new workers", lambda: workers.restarts > before and not workers.not_ready())
    finally:
        broker.close()


def _purged(broker: Any, queue: str) -> bool:
    counts = [broker.channel.queue_purge(name).method.message_count for name in (queue, f"{queue}.DQ")]
    return any(count > 0 for count in counts)


def _publish_garbage(lab: Lab) -> None:
    broker: Any = make_broker(lab.stack.deployment)
    queue = queue_name(lab.stack.deployment)
    try:
        if isinstance(broker, ValkeyBroker):
            base = f"{broker.namespace}:{queue}"
            broker.client.hset(f"{base}.msgs", "garbage", b"\xff no JSON")
            broker.client.rpush(base, "garbage")
        else:
            broker.channel.basic_publish("", queue, b"\xff no JSON", pika.BasicProperties())
    finally:
        broker.close()
