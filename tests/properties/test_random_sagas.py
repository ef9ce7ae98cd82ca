"""Random sagas and fault plans through the in-process engine, against the independent model."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from bakeoff.contract.generated import POOL
from bakeoff.contract.generator import INPUT, KINDS, Kind, differences, generate
from bakeoff.contract.trace import Trace
from bakeoff.expectation import Facts, expect
from bakeoff.outcome import Outcome, Status
from bakeoff.saga import Saga
from bakeoff.world import Participant, World
from bakeoff_inline.client import InlineClient

T = TypeVar("T")

_FACTS = Facts(input=INPUT)
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("properties")
    world = World.create(f"sqlite:///{folder / 'world.db'}")
    yield world
    world.close()


async def _settle(world: World, saga: Saga, workflow_id: str) -> Outcome:
    """One saga in a client of its own; closing it lets go of the connections."""
    participant = Participant(world, world.services(), {saga.name: saga})
    client = InlineClient(participant, threads=4)
    try:
        assert await client.start(saga, workflow_id, INPUT)
        return await client.result(workflow_id, timeout_s=20)
    finally:
        await client.close()


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_random_sagas_end_as_the_model_says(world: World, kind: Kind, data: st.DataObject) -> None:
    def choose(options: Sequence[T]) -> T:
        return data.draw(st.sampled_from(options))

    saga, fates = generate(choose, f"random-{kind}", kind)
    workflow_id = f"random-{next(_numbers)}"
    world.set_fate(workflow_id, fates)
    outcome = asyncio.run(_settle(world, saga, workflow_id))
    trace = Trace(world.ledger(workflow_id=workflow_id))
    note(f"{saga}\n{fates}\n{trace}")

    assert differences(expect(saga, fates, _FACTS), outcome, trace) == []


def test_the_model_notices_a_difference() -> None:
    saga, fates = POOL["plain"][0]
    expected = expect(saga, fates)
    assert expected.status is not None

    found = differences(expected, Outcome(Status.COMPLETED, failed_compensations=("x",)), Trace([]))
    assert [line.partition(":")[0] for line in found if not line.startswith(("status", "cause"))] == [
        "failed compensations",
        "attempts",
        "effects",
        "number of effects",
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_the_pool_holds_every_outcome_worth_having(kind: Kind) -> None:
    ends = [expect(saga, fates, _FACTS) for saga, fates in POOL[kind]]
    statuses = {end.status for end in ends}

    assert {Status.COMPLETED, Status.COMPENSATED} <= statuses
    assert None not in statuses
    if kind == "conditions":
        assert any(cause == "ConditionError" for end in ends for cause, _ in end.causes)
    if kind == "escalations":
        assert {end.status for end in ends if end.exhausted} >= {Status.COMPLETED, Status.COMPENSATED}
