"""What bakeoff's schedules are on Temporal, looked at with Temporal's own client."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from temporalio.client import Client, Schedule, ScheduleOverlapPolicy

from bakeoff.contract.lab import Lab
from bakeoff.contract.sagas import WITNESS
from bakeoff.contract.scheduled import Scheduled, listed, scheduled
from bakeoff.errors import WorkflowConflictError
from bakeoff_temporal.connection import connect
from tests.engines.shared import Shared

pytestmark = [pytest.mark.service, pytest.mark.timeout(120)]


@pytest.fixture
def it(shared: Shared) -> Iterator[Scheduled]:
    with scheduled(shared.temporal("scheduled"), WITNESS, 2.0) as it:
        yield it


def _client(lab: Lab) -> Client:
    return lab.thread.call(lambda: connect(lab.stack.deployment), 20)


def test_a_schedule_is_one_of_the_servers_own(it: Scheduled) -> None:
    """Under its id, allowing sagas to overlap, and with a year to make up what was missed, as shipped."""

    client = _client(it.lab)

    async def describe() -> Schedule:
        return (await client.get_schedule_handle(it.schedule.id).describe()).schedule

    found = it.lab.thread.call(describe, 20)

    assert [one.every for one in found.spec.intervals] == [it.schedule.every]
    assert found.policy.overlap is ScheduleOverlapPolicy.ALLOW_ALL
    assert found.policy.catchup_window == timedelta(days=365)


def test_saga_of_a_period_is_known_as_if_it_had_been_started_with_its_id(it: Scheduled) -> None:
    """Starting it by hand changes nothing, and with another input it is refused (S6)."""
    workflow_id = it.until_begun(1)[0]
    end = it.saga_of(workflow_id).settled()

    assert end.started.start() is False
    with pytest.raises(WorkflowConflictError):
        it.lab.ask(lambda client: client.start(WITNESS, workflow_id, "another input"))


def test_schedules_of_others_are_not_listed(it: Scheduled) -> None:
    """Nor are those that people make with Temporal's own tools."""
    client = _client(it.lab)

    async def make_another() -> None:
        ours = (await client.get_schedule_handle(it.schedule.id).describe()).schedule
        await client.create_schedule("somebody-else", ours)

    async def remove() -> None:
        await client.get_schedule_handle("somebody-else").delete()

    async def seen() -> set[str]:
        return {one.id async for one in await client.list_schedules()}

    it.lab.thread.call(make_another, 20)
    try:
        it.lab.until(
            "both on the server",
            lambda: {"somebody-else", it.schedule.id} <= it.lab.thread.call(seen, 20),
        )
        assert "somebody-else" not in {one.id for one in listed(it.lab)}
    finally:
        it.lab.thread.call(remove, 20)
