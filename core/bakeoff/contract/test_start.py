"""S6: one execution per workflow id."""

from __future__ import annotations

import asyncio

import pytest

from bakeoff.contract.lab import Lab
from bakeoff.contract.sagas import SINGLE, TRIP
from bakeoff.engine import Capability, EngineClient
from bakeoff.errors import UnserialisableError, WorkflowConflictError, WorkflowNotFoundError
from bakeoff.outcome import Status

pytestmark = pytest.mark.requires(Capability.IDEMPOTENT_START, Capability.OUTCOME)

_ONCE = dict.fromkeys(["book_flight", "book_hotel", "book_car", "send_itinerary"], 1)
_SLOW = {"book_flight:action": {"first": ["slow:0.2"]}}


def test_starting_again_while_it_runs_returns_the_existing_saga(lab: Lab) -> None:
    """The second start says that it exists; every step still acts once."""
    started = lab.start(TRIP, fates=_SLOW)  # type: ignore[arg-type]

    assert started.start() is False
    assert started.settled().counts == _ONCE


def test_starting_again_after_its_end_returns_the_existing_saga(lab: Lab) -> None:
    """An order that was delivered is not delivered again."""
    end = lab.settle(TRIP)

    assert end.started.start() is False
    again = end.started.settled()
    assert again.outcome == end.outcome
    lab.never("it acted again", lambda: end.started.trace().attempt_counts() != _ONCE, for_s=0.2)


def test_starting_with_another_input_while_it_runs_is_a_conflict(lab: Lab) -> None:
    """The first one goes on undisturbed, with its own input."""
    started = lab.start(TRIP, {"order": 1}, fates=_SLOW)  # type: ignore[arg-type]

    with pytest.raises(WorkflowConflictError):
        lab.ask(lambda client: client.start(TRIP, started.workflow_id, {"order": 2}))
    assert started.settled().counts == _ONCE


def test_starting_with_another_input_after_its_end_is_a_conflict(lab: Lab) -> None:
    """Also when nothing runs any more."""
    end = lab.start(TRIP, {"order": 1}).settled()

    with pytest.raises(WorkflowConflictError):
        lab.ask(lambda client: client.start(TRIP, end.started.workflow_id, {"order": 2}))
    lab.never("it acted again", lambda: end.started.trace().attempt_counts() != _ONCE, for_s=0.2)


def test_starting_another_saga_under_the_same_id_is_a_conflict(lab: Lab) -> None:
    """The same id and input do not make it the same saga."""
    started = lab.start(TRIP, fates=_SLOW)  # type: ignore[arg-type]

    with pytest.raises(WorkflowConflictError):
        lab.ask(lambda client: client.start(SINGLE, started.workflow_id, started.input))
    assert started.settled().counts == _ONCE


def test_input_is_the_same_whatever_the_order_of_its_keys(lab: Lab) -> None:
    """JSON objects have no order."""
    started = lab.start(TRIP, {"a": 1, "b": {"c": 2, "d": 3}}, fates=_SLOW)  # type: ignore[arg-type]

    same = {"b": {"d": 3, "c": 2}, "a": 1}
    assert lab.ask(lambda client: client.start(TRIP, started.workflow_id, same)) is False
    assert started.settled().outcome.status is Status.COMPLETED


def test_of_many_simultaneous_starts_one_is_first(lab: Lab) -> None:
    """Ten callers at once: one is told that it started the saga, nine that it exists."""
    started = lab.prepare(TRIP)

    async def all_at_once(client: EngineClient) -> list[bool]:
        starts = (client.start(TRIP, started.workflow_id, started.input) for _ in range(10))
        return await asyncio.gather(*starts)

    assert sorted(lab.ask(all_at_once)) == [False] * 9 + [True]
    assert started.settled().counts == _ONCE


def test_input_that_is_no_json_is_refused(lab: Lab) -> None:
    """With an error, and without leaving anything behind."""
    stranger = lab.prepare(TRIP, {"when": object()})

    with pytest.raises(UnserialisableError):
        stranger.start()
    with pytest.raises(WorkflowNotFoundError):
        stranger.outcome()
    assert stranger.trace().records == []
