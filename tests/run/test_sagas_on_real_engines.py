"""Every saga of the order domain on engines with servers and workers of their own, all on one stack."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bakeoff.contract.lab import Lab, Settled, Started
from bakeoff.contract.stack_thread import StackThread
from bakeoff.engine import EngineInfo
from bakeoff.expectation import Expectation
from bakeoff.orders import (
    NOOP,
    ORDER_APPROVAL,
    ORDER_APPROVAL_TIMEOUT,
    ORDER_DELAYED,
    ORDER_PARALLEL,
    ORDER_PIVOT,
)
from bakeoff.orders.loader import real_orders
from bakeoff.orders.model import Order
from bakeoff.outcome import Status
from bakeoff.plugins import Plugins
from bakeoff.saga import Saga
from bakeoff.settings import ConfigClass, resolve
from bakeoff.stack import StackPlan
from bakeoff.world import Fate
from bakeoff_scenarios import Assignment, Request
from bakeoff_scenarios.ordinary import make_ordinary

WITH_WORKERS = [name for name in Plugins().engine_names() if not Plugins().engine(name).info().in_process]
#: ``order`` itself runs in ``test_run_real_engines``.
SAGAS = (ORDER_PIVOT, ORDER_PARALLEL, ORDER_APPROVAL, ORDER_APPROVAL_TIMEOUT, ORDER_DELAYED, NOOP)

#: Each saga chooses among so many orders of its own.
_AMONG = 150
_SEED = 3

pytestmark = [pytest.mark.service, pytest.mark.slow]


@pytest.fixture(params=WITH_WORKERS)
def lab(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lab]:
    engine = Plugins().engine(request.param)
    settings = resolve(engine.name, engine.info().settings, ConfigClass.CI, {})
    thread = StackThread(StackPlan(engine=engine, settings=settings, folder=tmp_path))
    stack = thread.start()
    try:
        yield Lab(stack, thread, "sagas")
    finally:
        stack.launcher.hurry()  # nobody comes back to these servers
        thread.stop()


def test_every_saga_comes_to_its_expected_ends(lab: Lab) -> None:
    """Status, cause, every attempt and every effect in its order, as computed beforehand."""
    orders = [order for order in real_orders(len(SAGAS) * _AMONG * 2).orders if not order.cancelled]
    chosen = [
        one
        for number, saga in enumerate(SAGAS)
        for one in _choose(saga, orders[number * _AMONG : (number + 1) * _AMONG], lab.stack.info)
    ]
    for status, sagas in ((Status.COMPLETED, SAGAS), (Status.COMPENSATED, SAGAS[:-1])):
        assert {one.saga.name for one in chosen if one.expected.status is status} >= {s.name for s in sagas}
    lab.stack.world.add_orders(one.order for one in chosen)
    lab.stack.world.set_stock({sku: 10**6 for one in chosen for sku in one.order.units()})

    started = [one.start(lab) for one in chosen]

    for one, saga in zip(chosen, started, strict=True):
        _check(saga.settled(), one.expected)


@dataclass(frozen=True)
class Chosen:
    """One saga, what it suffers and what it must come to."""

    saga: Saga
    order: Order
    assignment: Assignment
    fates: dict[str, Fate]

    @property
    def expected(self) -> Expectation:
        return self.assignment.planned.expected

    def start(self, lab: Lab) -> Started:
        planned = self.assignment.planned
        started = lab.start(self.saga, planned.input, fates=self.fates, workflow_id=planned.workflow_id)
        for name, payload in self.assignment.signals.items():
            assert started.signal(name, payload)
        return started


def _choose(saga: Saga, orders: list[Order], info: EngineInfo) -> list[Chosen]:
    """One of each kind of ending, but none that is far too slow, for which one would only wait."""
    workload = make_ordinary(Request(saga=saga, orders=orders, seed=_SEED, info=info))
    kinds: dict[tuple[object, ...], Chosen] = {}
    for order, assignment in zip(orders, workload.assignments, strict=True):
        drawn = {
            f"{step.name}:action": workload.profile.fate(
                assignment.planned.workflow_id, step.name, step.timeout.total_seconds()
            )
            for step in saga.steps()
        }
        one = Chosen(saga, order, assignment, {call: fate for call, fate in drawn.items() if fate})
        if not any(word.startswith("slow") for fate in one.fates.values() for word in fate.get("first", ())):
            end = one.expected
            kinds.setdefault((end.status, end.causes, bool(end.faulted), end.repeats > 0), one)
    return list(kinds.values())


def _check(end: Settled, expected: Expectation) -> None:
    about = f"{end.started.saga.name} {end.started.workflow_id}"
    cause = end.outcome.cause
    effects = [(r.step, r.direction, r.kind) for r in end.trace.records if r.kind in ("effect", "nothing")]
    attempts = Counter(r.call for r in end.trace.records if r.kind == "attempt")

    assert end.outcome.status is expected.status, about
    assert (cause is None) == (not expected.causes), about
    assert cause is None or (cause.type, cause.step) in expected.causes, about
    assert attempts == expected.attempts, about
    for group in expected.effects:
        assert set(effects[: len(group)]) == group, about
        del effects[: len(group)]
    assert effects == [], about
