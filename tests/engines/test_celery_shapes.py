"""Sagas of every shape survive being written as a Celery canvas."""

from __future__ import annotations

import pytest

from bakeoff.contract.lab import Lab
from bakeoff.outcome import Status
from bakeoff.saga import Parallel, Saga, Wait
from tests.engines.celery_sagas import SHAPES
from tests.engines.shared import Shared

pytestmark = pytest.mark.service


@pytest.fixture(scope="module", params=["valkey", "rabbitmq"])
def lab(request: pytest.FixtureRequest, shared: Shared) -> Lab:
    return shared.celery(f"shapes-{request.param}", broker=request.param)


@pytest.mark.parametrize("saga", SHAPES.values(), ids=SHAPES)
def test_shape_completes(lab: Lab, saga: Saga) -> None:
    started = lab.start(saga)
    for wait in _waits(saga):
        started.signal(wait, {"from": wait})
    settled = started.settled()

    assert settled.outcome.status is Status.COMPLETED
    assert settled.outcome.results == {
        **{element.name: None for element in saga.elements if not isinstance(element, Parallel)},
        **{step.name: step.name for step in saga.steps()},
        **{wait: {"from": wait} for wait in _waits(saga)},
    }
    assert settled.counts == {step.name: 1 for step in saga.steps()}


@pytest.mark.parametrize("saga", SHAPES.values(), ids=SHAPES)
def test_shape_is_undone_from_its_last_step(lab: Lab, saga: Saga) -> None:
    *others, last = [step.name for step in saga.steps()]
    started = lab.start(saga, fates={f"{last}:action": {"then": "decline"}})
    for wait in _waits(saga):
        if saga.index_of(wait) < saga.index_of(last):  # a later one would come too late
            started.signal(wait, {"from": wait})
    settled = started.settled()

    assert settled.outcome.status is Status.COMPENSATED
    assert settled.outcome.cause is not None
    assert settled.outcome.cause.step == last
    assert settled.counts == {
        **{name: 1 for name in [*others, last]}, **{f"undo {name}": 1 for name in others},
    }  # fmt: skip


def _waits(saga: Saga) -> list[str]:
    return [element.name for element in saga.elements if isinstance(element, Wait)]
