"""Every saga of bakeoff on engines with servers and workers of their own, all of an engine on one stack."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bakeoff.bridge.bridges import choose_bridge
from bakeoff.business import APPROVAL, BILLING, ONBOARDING
from bakeoff.contract.lab import Lab, Settled, Started
from bakeoff.contract.stack_thread import StackThread
from bakeoff.engine import EngineClient, EngineInfo, Signals
from bakeoff.errors import SignalRejectedError
from bakeoff.expectation import Expectation
from bakeoff.orders import (
    FULFILMENT,
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
from bakeoff.saga import JSON, Saga, Wait
from bakeoff.settings import ConfigClass, resolve
from bakeoff.stack import StackPlan
from bakeoff.world import Fate
from bakeoff_scenarios import Assignment, Request, lacking
from bakeoff_scenarios.ordinary import make_ordinary
from tests.tiers import more

WITH_WORKERS = [name for name in Plugins().engine_names() if not Plugins().engine(name).info().in_process]
PROCESSES = (FULFILMENT, ONBOARDING, BILLING, APPROVAL)
#: ``order`` itself runs in ``test_run_real_engines``.
SAGAS = (
    *(ORDER_PIVOT, ORDER_PARALLEL, ORDER_APPROVAL, ORDER_APPROVAL_TIMEOUT, ORDER_DELAYED),
    *PROCESSES,
    NOOP,
)
#: Over NATS plain ``pytest`` takes these; the contract suite runs over it on another one.
_OVER_NATS = ("temporal",)

#: Each saga chooses among so many orders of its own.
_AMONG = 150
_SEED = 3

pytestmark = [pytest.mark.service, pytest.mark.slow]


@pytest.fixture(
    params=[
        *(
            more((name, "in-process"), id=f"{name}-in-process")
            if name in _OVER_NATS
            else (name, "in-process")
            for name in WITH_WORKERS
        ),
        *(
            (name, "nats") if name in _OVER_NATS else more((name, "nats"), id=f"{name}-nats")
            for name in WITH_WORKERS
        ),
        # It has no workers, but services of their own all the same.
        more(("inline", "nats"), id="inline-nats"),
    ],
    ids="-".join,
)
def lab(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lab]:
    name, bridge = request.param
    engine = Plugins().engine(name)
    settings = resolve(name, engine.info().settings, ConfigClass.CI, {})
    thread = StackThread(
        StackPlan(
            engine=engine,
            settings=settings,
            folder=tmp_path,
            sagas=("bakeoff.orders", "bakeoff.business"),
            bridge=choose_bridge(bridge),
        )
    )
    stack = thread.start()
    try:
        yield Lab(stack, thread, "sagas")
    finally:
        stack.launcher.hurry()  # nobody comes back to these servers
        thread.stop()


def test_every_saga_comes_to_its_expected_ends(lab: Lab) -> None:
    """Status, cause, every attempt and every effect in its order, as computed beforehand."""
    assert {saga.name: lacking(saga, lab.stack.info) for saga in SAGAS} == {one.name: {} for one in SAGAS}
    orders = [order for order in real_orders(len(SAGAS) * _AMONG * 2).orders if not order.cancelled]
    kinds = [
        kind
        for number, saga in enumerate(SAGAS)
        for kind in _choose(saga, orders[number * _AMONG : (number + 1) * _AMONG], lab.stack.info)
    ]
    chosen = [kind[0] for kind in kinds]
    for status, sagas in ((Status.COMPLETED, SAGAS), (Status.COMPENSATED, SAGAS[:-1])):
        assert {one.saga.name for one in chosen if one.expected.status is status} >= {s.name for s in sagas}
    assert {saga.name: _ways(saga, chosen) for saga in PROCESSES} == _WAYS
    lab.stack.world.add_orders(one.order for kind in kinds for one in kind)
    lab.stack.world.set_stock({sku: 10**6 for kind in kinds for one in kind for sku in one.order.units()})

    started = [_start_one_of(kind, lab) for kind in kinds]

    for kind, (one, saga) in zip(kinds, started, strict=True):
        end = saga.settled()
        left = kind[kind.index(one) + 1 :]
        while left and _timed_out(one, end):
            one, saga = _start_one_of(left, lab)
            end = saga.settled()
            left = left[left.index(one) + 1 :]
        _check(end, one.expected)
    if lab.stack.services:
        _check_who_acted(lab)


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
            try:
                assert _answer(started, name, payload)
            except SignalRejectedError:
                if not self._is_over_before(name):
                    raise
        return started

    def _is_over_before(self, wait: str) -> bool:
        """Whether it fails before that wait, and so may be over when the answer comes."""
        places = [self.saga.index_of(step) for _, step in self.expected.causes if step]
        return bool(places) and max(places) < self.saga.index_of(wait)


def _answer(started: Started, wait: str, payload: JSON) -> bool:
    """To that wait alone: one whose time is over must not leave the answer to a later one."""
    workflow_id = started.workflow_id

    async def bring(client: EngineClient) -> bool:
        assert isinstance(client, Signals)
        return await client.signal(workflow_id, wait, f"{workflow_id}:{wait}", payload)

    return started.lab.ask(bring)


def _start_one_of(kind: list[Chosen], lab: Lab) -> tuple[Chosen, Started]:
    """Start the first; if the machine stood still for so long that its waits were over, the next."""
    for one in kind[:-1]:
        begun = time.monotonic()
        try:
            return one, one.start(lab)
        except SignalRejectedError:
            if time.monotonic() - begun < _shortest_wait_s(one.saga):
                raise
    return kind[-1], kind[-1].start(lab)


def _timed_out(one: Chosen, end: Settled) -> bool:
    """Whether more attempts than planned are the doing of a process that stood still for a step's timeout."""
    for step, direction in {(r.step, r.direction) for r in end.trace.records if r.kind == "attempt"}:
        at_s = [record.at for record in end.trace.attempts(step, direction)]
        if len(at_s) > one.expected.attempts.get((step, direction), 0):
            least_s = 0.8 * one.saga.timeout_of(one.saga.step(step), direction).total_seconds()
            if any(later - sooner >= least_s for sooner, later in itertools.pairwise(at_s)):
                return True
    return False


def _shortest_wait_s(saga: Saga) -> float:
    waits = (one for one in saga.elements if isinstance(one, Wait))
    return min(wait.timeout.total_seconds() for wait in waits if wait.timeout is not None)


#: What the world does to each process: the answers that come, or the step that is exhausted.
_WAYS = {
    "fulfilment": {("delivered",), ("delivered_late",), ()},
    "onboarding": {("verified",), ("verified_late",), ()},
    "billing": {(), ("charge_invoice",)},
    "approval": {("decision",), ("decision", "final_decision"), ("final_decision",), ()},
}


def _ways(saga: Saga, chosen: list[Chosen]) -> set[tuple[str, ...]]:
    own = (one for one in chosen if one.saga is saga)
    return {
        (*one.assignment.signals, *filter(None, [one.assignment.planned.expected.exhausted])) for one in own
    }


def _choose(saga: Saga, orders: list[Order], info: EngineInfo) -> list[list[Chosen]]:
    """Of each kind of ending one, and those to take in its stead; none that is far too slow to wait for."""
    workload = make_ordinary(Request(saga=saga, orders=orders, seed=_SEED, info=info))
    kinds: dict[tuple[object, ...], list[Chosen]] = {}
    for order, assignment in zip(orders, workload.assignments, strict=True):
        drawn = {
            f"{step.name}:action": workload.profile.fate(
                assignment.planned.workflow_id, step.name, step.timeout.total_seconds()
            )
            for step in saga.steps()
        }
        one = Chosen(saga, order, assignment, {call: fate for call, fate in drawn.items() if fate})
        if not any(word.startswith("slow") for fate in one.fates.values() for word in fate.get("first", ())):
            end, answers = one.expected, tuple(assignment.signals)
            kind = (end.status, end.causes, end.exhausted, bool(end.faulted), end.repeats > 0, answers)
            kinds.setdefault(kind, []).append(one)
    return list(kinds.values())


def _check_who_acted(lab: Lab) -> None:
    """Attempts are made by workers, effects by services; ``noop`` has neither."""
    services = {child.pid for group in lab.stack.services.values() for child in group.children}
    own = {step.name for step in NOOP.steps()}
    records = [record for record in lab.stack.world.ledger() if record.step not in own]
    assert {record.pid for record in records if record.kind == "effect"} <= services
    assert not {record.pid for record in records if record.kind == "attempt"} & services


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
