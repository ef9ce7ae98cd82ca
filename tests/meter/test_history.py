"""What Temporal writes down about a saga, and what Temporal Cloud would bill for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from bakeoff.contract import sagas
from bakeoff.contract.lab import Lab, Started
from bakeoff.errors import UsageError, WorkflowNotFoundError
from bakeoff.outcome import Status
from bakeoff_bench.meter import HistoryCost, cost_per_1000, history_cost
from tests.meter.stacks import lab_of

_BROKEN = {"then": "fault"}
_DECLINED = {"then": "decline"}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with lab_of("temporal", tmp_path_factory.mktemp("temporal")) as lab:
        yield lab


def _cost(lab: Lab, *started: Started) -> HistoryCost:
    found = lab.ask(lambda client: history_cost(client, [one.workflow_id for one in started]))
    assert found is not None
    return found


def _billed(started: Started) -> Mapping[str, int]:
    (saga,) = _cost(started.lab, started).sagas
    assert saga.billable_actions is not None
    return saga.billable_actions


@pytest.mark.service
def test_attempts_that_leave_no_event_are_billed(lab: Lab) -> None:
    plain = lab.start(sagas.POLICIES)
    retried = lab.start(sagas.POLICIES, fates={"patient:action": {"first": ["fault", "fault"]}})
    assert {one.outcome().status for one in (plain, retried)} == {Status.COMPLETED}

    assert _billed(plain) == {"start_workflow": 1, "schedule_activity": 2}
    assert _billed(retried) == {"start_workflow": 1, "schedule_activity": 2, "retry_activity": 2}
    events = [one.events for one in _cost(lab, plain, retried).sagas]
    assert events[0] == events[1], "retries leave no event"


@pytest.mark.service
def test_compensations_and_their_retries_are_billed(lab: Lab) -> None:
    fates: Any = {"book_car:action": _DECLINED, "book_flight:compensation": {"first": ["fault"]}}
    started = lab.start(sagas.TRIP, fates=fates)
    assert started.outcome().status is Status.COMPENSATED

    assert _billed(started) == {"start_workflow": 1, "schedule_activity": 5, "retry_activity": 1}


@pytest.mark.service
def test_signals_and_timers_are_billed(lab: Lab) -> None:
    approved, late = lab.start(sagas.APPROVAL), lab.start(sagas.WAIT_OR_GO_ON)
    approved.until_done("book_flight")
    approved.signal("approved", {"by": "Ada"})
    approved.signal("approved", {"by": "Ada"})  # the same id: the server keeps one update
    assert {one.outcome().status for one in (approved, late)} == {Status.COMPLETED}

    assert _billed(approved) == {"start_workflow": 1, "schedule_activity": 2, "accept_workflow_update": 1}
    assert _billed(late) == {"start_workflow": 1, "schedule_activity": 2, "start_timer": 1}


@pytest.mark.service
def test_a_local_activity_is_billed_as_the_markers_of_its_workflow_task(lab: Lab) -> None:
    """A cancel makes the workflow ask which activities have faulted, in a local activity."""
    started = lab.start(sagas.POLICIES, fates={"patient:action": {"first": ["slow:2"]}})
    started.until_attempted("patient")
    started.cancel()
    assert started.outcome().status is Status.COMPENSATED

    billed = dict(_billed(started))
    assert billed.pop("record_activity_markers") >= 1
    assert billed.pop("start_timer") >= 1, "the patience of that wait"
    assert billed == {"start_workflow": 1, "schedule_activity": 4}


@pytest.mark.service
def test_a_reset_is_billed_with_what_came_before_it_and_nothing_twice(lab: Lab) -> None:
    fates: Any = {"book_car:action": _DECLINED, "book_hotel:compensation": _BROKEN}
    started = lab.start(sagas.TRIP, fates=fates)
    assert started.outcome().status is Status.COMPENSATION_FAILED
    # Three actions, two compensations of which one is tried three times.
    before = {"start_workflow": 1, "schedule_activity": 5, "retry_activity": 2}
    assert _billed(started) == before

    lab.stack.world.set_fate(started.workflow_id, {"book_car:action": {"then": "decline"}})
    client: Any = lab.stack.client
    lab.ask(lambda _: client.redrive(started.workflow_id))
    assert started.outcome().status is Status.COMPENSATED

    # The reset, and both compensations anew.
    assert _billed(started) == before | {"schedule_activity": 7, "reset_workflow": 1}


@pytest.mark.service
def test_events_and_bytes_are_those_of_the_server(lab: Lab) -> None:
    started = [lab.start(sagas.TRIP) for _ in range(3)]
    assert {one.outcome().status for one in started} == {Status.COMPLETED}
    cost = _cost(lab, *started)
    client: Any = lab.stack.client

    assert [one.workflow_id for one in cost.sagas] == [one.workflow_id for one in started]
    for one in cost.sagas:
        told = lab.ask(lambda _: client._handle(one.workflow_id).describe())  # noqa: B023
        assert one.events == told.history_length
        assert one.size_bytes == pytest.approx(
            told.raw_description.workflow_execution_info.history_size_bytes, rel=0.1
        )
    assert cost.events_per_saga == cost.sagas[0].events
    assert cost.bytes_per_saga == pytest.approx(sum(one.size_bytes or 0 for one in cost.sagas) / 3)
    assert cost.billable_actions_per_saga == {"start_workflow": 1, "schedule_activity": 4}
    assert "queries, heartbeats and rejected signals" in cost.note


@pytest.mark.service
def test_an_unknown_saga_has_no_history(lab: Lab) -> None:
    with pytest.raises(WorkflowNotFoundError, match="nobody"):
        lab.ask(lambda client: history_cost(client, ["nobody"]))


@pytest.mark.service
def test_an_engine_that_nobody_sells_has_events_and_no_billable_actions(tmp_path: Path) -> None:
    with lab_of("celery-sagalog", tmp_path) as log:
        started = log.start(sagas.TRIP)
        assert started.outcome().status is Status.COMPLETED
        cost = _cost(log, started)

    assert cost.events_per_saga is not None
    assert cost.events_per_saga > 4
    assert cost.bytes_per_saga is None
    assert cost.billable_actions_per_saga is None
    assert cost.note == ""


def test_an_engine_without_event_history_has_no_such_cost(tmp_path: Path) -> None:
    with lab_of("inline", tmp_path) as inline:
        assert inline.ask(lambda client: history_cost(client, [])) is None


def test_of_no_sagas_nothing_is_said() -> None:
    nothing = HistoryCost(sagas=(), note="")

    assert nothing.events_per_saga is None
    assert nothing.bytes_per_saga is None
    assert nothing.billable_actions_per_saga is None


def test_the_price_of_a_thousand_sagas_is_the_users_price() -> None:
    assert cost_per_1000(5, 50) == pytest.approx(0.25)
    assert cost_per_1000(5, 0) == 0


@pytest.mark.parametrize("price", [-1, float("nan"), float("inf")])
def test_a_price_that_is_none_is_refused(price: float) -> None:
    with pytest.raises(UsageError, match=r"--price-per-million-actions .*: give a price of zero or more"):
        cost_per_1000(5, price)
