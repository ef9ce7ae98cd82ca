"""The two failure hooks of Dramatiq: exactly one of them may compensate."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import pytest

from bakeoff.contract import sagas
from bakeoff.contract.lab import Lab
from bakeoff.outcome import Status
from bakeoff.world import Fate
from bakeoff_dramatiq.state import State, compensate_actor
from tests.engines.dramatiq_stack import context_of, server
from tests.engines.shared import Shared

pytestmark = pytest.mark.service

DECLINE: Fate = {"then": "decline"}
FAULT: Fate = {"then": "fault"}
FAULT_THEN_DECLINE: Fate = {"first": ["fault"], "then": "decline"}


@pytest.fixture(scope="module")
def lab(shared: Shared) -> Lab:
    return shared.dramatiq("failures", broker="valkey")


@pytest.mark.parametrize(
    ("fate", "own_undo"), [(DECLINE, False), (FAULT, True), (FAULT_THEN_DECLINE, True)], ids=str
)
def test_failed_step_is_compensated_exactly_once(lab: Lab, fate: Fate, own_undo: bool) -> None:
    """Neither hook fires twice, and both never fire for the same step."""
    settled = lab.settle(sagas.TRIP, fates={"book_car:action": fate})

    undos = {word: times for word, times in settled.counts.items() if word.startswith("undo")}
    expected = {"undo book_flight": 1, "undo book_hotel": 1} | ({"undo book_car": 1} if own_undo else {})
    assert undos == expected
    assert settled.outcome.status is Status.COMPENSATED


def test_step_that_recovers_calls_no_hook(lab: Lab) -> None:
    """Two faults and a success leave no message to the compensating actor behind, in no queue."""
    settled = lab.settle(sagas.TRIP, fates={"book_hotel:action": {"first": ["fault", "fault"]}})

    assert settled.outcome.status is Status.COMPLETED
    with context_of(lab, "trip") as context, _monitor(context.rows.client) as monitor:
        again = lab.start(sagas.TRIP, fates={"book_hotel:action": {"first": ["fault", "fault"]}})
        assert again.outcome().status is Status.COMPLETED
        context.rows.client.ping()
        seen = _commands_until_ping(monitor)
    assert any("trip.book_hotel" in command for command in seen)
    assert not any(f'actor_name":"{compensate_actor(sagas.TRIP)}' in command for command in seen)


def _monitor(client: Any) -> AbstractContextManager[Any]:
    monitor: AbstractContextManager[Any] = client.monitor()
    return monitor


def _commands_until_ping(monitor: Any) -> list[str]:
    seen: list[str] = []
    while True:
        command = str(monitor.next_command()["command"]).replace("\\", "")
        if command.upper().startswith("PING"):
            return seen
        seen.append(command)


@pytest.mark.parametrize("own", [False, True], ids=["declined again", "lost before"])
def test_copies_of_a_step_that_both_fail_compensate_once(lab: Lab, own: bool) -> None:
    """The second copy has nothing to add, unless it knows of an effect that the first one did not."""
    declined = lab.settle(sagas.TRIP, fates={"book_car:action": DECLINE})
    state: State = {"workflow_id": declined.started.workflow_id, "input": None, "results": {}}
    cause = {"type": "BusinessError", "message": "book_car declined", "step": "book_car"}
    with context_of(lab, "trip") as context:
        actor = context.broker.get_actor(compensate_actor(sagas.TRIP))
        actor.send({"args": [state], "options": {"cause": cause, "own": own}}, {"type": "BusinessError"})
        queue = f"{context.broker.namespace}:{context.queue}.msgs"  # type: ignore[attr-defined]
        lab.until("the queue is empty", lambda: context.rows.client.hlen(queue) == 0)

    story = declined.started.trace().story()
    assert story == [*declined.story, *(["undo book_car (nothing)"] if own else [])]


def test_late_copy_of_a_completed_saga_compensates_nothing(lab: Lab) -> None:
    """A redelivered step whose retries run out after the saga has completed must not undo it."""
    settled = lab.settle(sagas.TRIP)
    state: State = {"workflow_id": settled.started.workflow_id, "input": None, "results": {}}
    cause = {"type": "InjectedFault", "message": "late", "step": "send_itinerary"}
    with context_of(lab, "trip") as context:
        actor = context.broker.get_actor(compensate_actor(sagas.TRIP))
        actor.send({"args": [state], "options": {"cause": cause}}, {"retries": 2, "max_retries": 2})
        # The queue is worked off in order: what was sent later tells that this one is done.
        assert lab.settle(sagas.TRIP).outcome.status is Status.COMPLETED
        queue = f"{context.broker.namespace}:{context.queue}.msgs"  # type: ignore[attr-defined]
        lab.until("the queue is empty", lambda: context.rows.client.hlen(queue) == 0)

    assert settled.started.trace().story() == settled.story
    assert settled.started.outcome() == settled.outcome


def test_time_limit_that_struck_after_the_actor_returned_compensates_too(lab: Lab) -> None:
    """Nobody could note a cause then; the message comes to the hook without one."""
    started = lab.prepare(sagas.TRIP)
    results = {"book_flight": None}
    state: State = {"workflow_id": started.workflow_id, "input": started.input, "results": results}
    with context_of(lab, "trip") as context:
        context.rows.claim(sagas.TRIP, started.workflow_id, started.input)
        message = {"actor_name": "trip.book_hotel", "args": [state], "options": {"retries": 3}}
        actor = context.broker.get_actor(compensate_actor(sagas.TRIP))
        actor.send(message, {"retries": 2, "max_retries": 2})
        outcome = started.outcome()

    assert outcome.status is Status.COMPENSATED
    assert outcome.cause is not None
    assert (outcome.cause.type, outcome.cause.step) == ("TimeoutError", "book_hotel")
    assert started.trace().story() == ["undo book_hotel (nothing)", "undo book_flight (nothing)"]


def test_failed_messages_are_kept_as_dead_letters(lab: Lab) -> None:
    """Dramatiq's own record of what failed stays where its users look for it."""
    lab.settle(sagas.TRIP, fates={"book_car:action": DECLINE})

    with context_of(lab, "trip") as context:
        namespace = context.broker.namespace  # type: ignore[attr-defined]
        dead = context.rows.client.hvals(f"{namespace}:{context.queue}.XQ.msgs")
    assert any(b"trip.book_car" in message for message in dead)
    assert server(lab, "broker").server.kind == "valkey"
