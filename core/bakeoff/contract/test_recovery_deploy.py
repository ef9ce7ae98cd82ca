"""S10: new workers know a saga with one more step, and sagas of the version before are in flight."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

import pytest

from bakeoff.contract import deployed_1, deployed_2
from bakeoff.contract.contestants import Contestant
from bakeoff.contract.generator import differences
from bakeoff.contract.lab import Fates, Lab, Started
from bakeoff.contract.statuses import Unknown
from bakeoff.contract.strike import Word, free, repeated, standing, start_at, words
from bakeoff.engine import Capability, Support, Survives
from bakeoff.expectation import Expectation, Facts, expect
from bakeoff.saga import Saga
from bakeoff.world import Aim, Point, Reached

pytestmark = [
    pytest.mark.recovery,
    pytest.mark.timeout(300),
    pytest.mark.requires(Survives.STEP_KILL, Capability.ORDER, Capability.OUTCOME),
]

#: Seconds in which a saga comes to rest; and those in which workers that were told to end stop taking work.
_AT_REST_S, _TOLD_S = 0.5, 2.5
#: Seconds in which workers end, a new one starts with a slot for everybody, and a client connects.
_UP_S, _DEPLOYED_S = 60.0, 150.0


@dataclass(frozen=True)
class _Case:
    """Where a saga is when the workers are exchanged; ``aim`` if it is acting."""

    before: Saga
    after: Saga
    needs: tuple[Capability, ...] = ()
    aim: Aim | None = None
    fates: Fates | None = None
    signals: frozenset[str] = frozenset()

    def expected(self, saga: Saga) -> Expectation:
        return expect(saga, self.fates or {}, Facts(signals=self.signals))


_CHANGED = deployed_1.CHANGED, deployed_2.CHANGED
_WAITING = deployed_1.CHANGED_WAITING, deployed_2.CHANGED_WAITING
_SLEEPING = deployed_1.CHANGED_SLEEPING, deployed_2.CHANGED_SLEEPING
#: The new step comes right after this one.
_HERE = Aim("book_hotel", "action", Point.BEFORE_EFFECT)
_DECLINED: Fates = {"send_itinerary:action": {"then": "decline"}}
_CASES = {
    "acting": _Case(*_CHANGED, aim=_HERE),
    "acting, declined later": _Case(*_CHANGED, (Capability.COMPENSATION,), _HERE, _DECLINED),
    "undoing": _Case(
        *_CHANGED,
        (Capability.COMPENSATION,),
        Aim("book_car", "compensation", Point.BEFORE_EFFECT),
        _DECLINED,
    ),
    "waiting": _Case(*_WAITING, (Capability.SIGNALS,), signals=frozenset({"approved"})),
    "waiting, declined later": _Case(
        *_WAITING,
        (Capability.SIGNALS, Capability.COMPENSATION),
        fates=_DECLINED,
        signals=frozenset({"approved"}),
    ),
    "sleeping": _Case(*_SLEEPING, (Capability.TIMERS,)),
}


@dataclass(frozen=True)
class _Deployed:
    """What came of every saga, and which had not ended when the old workers were gone."""

    words: Mapping[str, Word]
    in_flight: frozenset[str]


@pytest.fixture(scope="session")
def after_deploy(killable: Lab, contestant: Contestant) -> Iterator[_Deployed]:
    """A saga in every case when the workers are exchanged, and one that is started afterwards."""
    claims = contestant.info.claims
    able = {
        name: case
        for name, case in _CASES.items()
        if all(claims[need].support is not Support.ABSENT for need in case.needs)
    }
    acting = {
        name: start_at(killable, case.before, case.aim, case.fates)
        for name, case in able.items()
        if case.aim is not None
    }
    there = standing(killable, list(acting.values()))
    resting = {
        name: killable.start(case.before, fates=case.fates) for name, case in able.items() if case.aim is None
    }
    for one in resting.values():
        one.until_done("book_flight")
    killable.never("it did not pause", lambda: _went_on(resting), for_s=_AT_REST_S)
    sagas = {**acting, **resting}
    in_flight: set[str] = set()

    def look() -> None:
        for name, one in sagas.items():
            planned = able[name].expected(able[name].before).effects
            if len(one.trace().story()) < len(planned):
                in_flight.add(name)

    with _deployed(killable, deployed_2.__name__, there, look):
        for name, one in sagas.items():
            for signal in able[name].signals:
                repeated(killable, f"signal {signal!r}", partial(one.signal, signal, "yes"))
        sagas["new"] = killable.prepare(deployed_2.CHANGED)
        repeated(killable, "a start", sagas["new"].start)
        ends = words(killable, list(sagas.values()))
        yield _Deployed(dict(zip(sagas, ends, strict=True)), frozenset(in_flight))


def _went_on(resting: Mapping[str, Started]) -> bool:
    return any(one.trace().attempts("book_car") for one in resting.values())


@contextmanager
def _deployed(
    lab: Lab, version: str, there: Mapping[str, Reached], look: Callable[[], None]
) -> Iterator[None]:
    """SIGTERM to the workers, which let go of what they do; then workers and a client of the new version.

    ``look`` is called when the old ones are gone and the new ones are not there yet.
    """
    stack = lab.stack
    workers, old = stack.workers, stack.client
    assert workers is not None, "an engine without workers cannot declare that it survives their kill"

    async def exchange() -> None:
        ending = asyncio.create_task(workers.stop())
        await asyncio.sleep(_TOLD_S)
        await asyncio.to_thread(free, lab, there)
        await ending
        await asyncio.to_thread(look)
        others = [name for name in stack.deployment.sagas if name != deployed_1.__name__]
        stack.deployment = replace(stack.deployment, sagas=(*others, version))
        stack.deployment.save(stack.deployment_file)
        await workers.start(1, _UP_S)
        stack.client = await stack.engine.connect(stack.deployment)

    try:
        lab.thread.call(exchange, _DEPLOYED_S)
        yield
    finally:
        if not workers.children:  # others come after this test
            lab.thread.call(lambda: workers.start(1, _UP_S), _DEPLOYED_S)
        new, stack.client = stack.client, old
        if new is not old:
            lab.thread.call(new.close, _DEPLOYED_S)


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.requires(*case.needs)) for name, case in _CASES.items()],
)
def test_saga_in_flight_ends_well_under_a_new_version(after_deploy: _Deployed, name: str) -> None:
    """The step that was inserted behind it is made or is not: the rest is as if nothing had happened."""
    case, end = _CASES[name], after_deploy.words[name].settled()

    if name not in after_deploy.in_flight:
        raise Unknown("it ended before the new workers came")
    old, new = (
        differences(case.expected(saga), end.outcome, end.trace, attempts=False)
        for saga in (case.before, case.after)
    )
    assert [] in (old, new), f"as the old version: {old}; as the new one: {new}"


def test_saga_started_after_the_deploy_has_the_new_step(after_deploy: _Deployed) -> None:
    """The new workers really know the new version."""
    end = after_deploy.words["new"].settled()

    assert end.story == [step.name for step in deployed_2.CHANGED.steps()]
