"""S10: the server that carries the sagas dies and comes back on its data; wherever they were, they go on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import pytest

from bakeoff.contract.contestants import Contestant
from bakeoff.contract.generator import differences
from bakeoff.contract.lab import Fates, Lab, Started
from bakeoff.contract.sagas import APPROVAL, JOURNEY, PATIENT_JOURNEY, RESTING
from bakeoff.contract.strike import Word, repeated, standing, start_at, strike, words
from bakeoff.engine import Capability, Support, Survives
from bakeoff.expectation import Facts, expect
from bakeoff.nemesis import ServerKill
from bakeoff.saga import Saga
from bakeoff.world import Aim, Point

pytestmark = [
    pytest.mark.recovery,
    pytest.mark.timeout(300),
    pytest.mark.requires(Survives.BROKER_RESTART, Capability.ORDER, Capability.OUTCOME),
]

#: Seconds in which a saga comes to rest: its retry, sleep or wait is noted, and nothing is on its way.
_AT_REST_S = 0.5


@dataclass(frozen=True)
class _Case:
    """Where a saga is when the server dies; ``aim`` if it is acting."""

    saga: Saga
    needs: tuple[Capability, ...] = ()
    aim: Aim | None = None
    fates: Fates | None = None
    signals: frozenset[str] = frozenset()


_UNDOING: Fates = {"send_itinerary:action": {"then": "decline"}}
_CASES = {
    "before an effect": _Case(JOURNEY, aim=Aim("book_hotel", "action", Point.BEFORE_EFFECT)),
    "after an effect": _Case(JOURNEY, aim=Aim("book_hotel", "action", Point.AFTER_EFFECT)),
    "in an undo": _Case(
        JOURNEY,
        (Capability.COMPENSATION,),
        Aim("book_hotel", "compensation", Point.AFTER_EFFECT),
        _UNDOING,
    ),
    "in a retry": _Case(PATIENT_JOURNEY, (Capability.RETRY,), fates={"patient:action": {"first": ["fault"]}}),
    "waiting": _Case(APPROVAL, (Capability.SIGNALS,), signals=frozenset({"approved"})),
    "sleeping": _Case(RESTING, (Capability.TIMERS,)),
    "not started": _Case(JOURNEY),
}


@pytest.fixture(scope="session")
def after_restart(killable: Lab, contestant: Contestant) -> Mapping[str, Word]:
    """A saga in every case when the server is killed, and one that is started when it is back."""
    claims = contestant.info.claims
    able = {
        name: case
        for name, case in _CASES.items()
        if all(claims[need].support is not Support.ABSENT for need in case.needs)
    }
    acting = {
        name: start_at(killable, case.saga, case.aim, case.fates)
        for name, case in able.items()
        if case.aim is not None
    }
    there = standing(killable, list(acting.values()))
    resting = {
        name: killable.start(case.saga, fates=case.fates)
        for name, case in able.items()
        if case.aim is None and name != "not started"
    }
    _come_to_rest(killable, resting)
    sagas = {**acting, **resting}
    strike(killable, ServerKill(), there, everyone=False)
    sagas["not started"] = killable.prepare(JOURNEY)
    repeated(killable, "a start", sagas["not started"].start)
    for name, one in sagas.items():
        for signal in able[name].signals:
            repeated(killable, f"signal {signal!r}", partial(one.signal, signal, "yes"))
    return dict(zip(sagas, words(killable, list(sagas.values())), strict=True))


def _come_to_rest(lab: Lab, resting: Mapping[str, Started]) -> None:
    if "in a retry" in resting:
        resting["in a retry"].until_attempted("patient")
    for name in {"waiting", "sleeping"} & set(resting):
        resting[name].until_done("book_flight")
    lab.never("it went on before the server died", lambda: _went_on(resting), for_s=_AT_REST_S)


def _went_on(resting: Mapping[str, Started]) -> bool:
    traces = {name: one.trace() for name, one in resting.items()}
    retried = "in a retry" in traces and len(traces["in a retry"].attempts("patient")) > 1
    return retried or ("sleeping" in traces and bool(traces["sleeping"].attempts("book_hotel")))


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.requires(*case.needs)) for name, case in _CASES.items()],
)
def test_saga_goes_on_when_its_server_is_back(after_restart: Mapping[str, Word], name: str) -> None:
    """Whether it acted, undid, paused, waited or slept: it ends as if nothing had happened."""
    case, end = _CASES[name], after_restart[name].settled()

    expected = expect(case.saga, case.fates or {}, Facts(signals=case.signals))
    assert differences(expected, end.outcome, end.trace, attempts=False) == []
    made = {call: len(end.trace.attempts(*call)) for call in expected.attempts}
    assert {call: n for call, n in made.items() if n < expected.attempts[call]} == {}
