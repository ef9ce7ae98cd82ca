"""S10: a worker that was given up for dead comes back in the middle of its step; another has taken over."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import pytest

from bakeoff.contract.contestants import Contestant
from bakeoff.contract.generator import differences
from bakeoff.contract.lab import Fates, Lab, Started
from bakeoff.contract.sagas import LONG_STEPS
from bakeoff.contract.stack_thread import StackThread
from bakeoff.contract.statuses import Unknown
from bakeoff.contract.strike import Word, standing, start_at, strike, words
from bakeoff.contract.trace import Trace
from bakeoff.engine import Capability, Support, Survives
from bakeoff.errors import EngineUnavailableError
from bakeoff.expectation import expect
from bakeoff.nemesis import WorkerPause
from bakeoff.sharing import least_slots
from bakeoff.stack import StackPlan
from bakeoff.world import Aim, Point

pytestmark = [
    pytest.mark.recovery,
    pytest.mark.timeout(300),
    pytest.mark.requires(Survives.STEP_KILL, Capability.ORDER, Capability.OUTCOME),
]

#: A lease in seconds that this suite still waits for.
_LONGEST_LEASE_S = 20.0
_UP_S = 60.0
#: Seconds in which a process that goes on ends its step; far more than it takes.
_CHANCE_S = 1.0
_DECLINED: Fates = {"send_itinerary:action": {"then": "decline"}}
_CASES: dict[str, tuple[Aim, Fates]] = {
    "before an effect": (Aim("book_hotel", "action", Point.BEFORE_EFFECT), {}),
    "after an effect": (Aim("book_hotel", "action", Point.AFTER_EFFECT), {}),
    "before an effect, undone later": (Aim("book_hotel", "action", Point.BEFORE_EFFECT), _DECLINED),
    "before an undo": (Aim("book_hotel", "compensation", Point.BEFORE_EFFECT), _DECLINED),
    "after an undo": (Aim("book_hotel", "compensation", Point.AFTER_EFFECT), _DECLINED),
}


@dataclass(frozen=True)
class _Paused:
    """What came of every saga, and the processes of the worker that was paused."""

    words: Mapping[str, Word]
    pids: frozenset[int]

    def taken_over(self, aim: Aim, trace: Trace) -> bool:
        """Whether another worker has made the call."""
        return any(attempt.pid not in self.pids for attempt in trace.attempts(aim.step, aim.direction))


@pytest.fixture(scope="session")
def after_pause(
    contestant: Contestant, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[_Paused]:
    """A saga in every case on the one worker; then a second worker, a pause of the first, and its return.

    The services' database is PostgreSQL: a paused writer would lock everyone out of SQLite.
    """
    lease_s = contestant.info.lease_s
    longest_s = max(step.timeout.total_seconds() for step in LONG_STEPS.steps())
    if (longest_s if lease_s is None else lease_s) > _LONGEST_LEASE_S:
        waited = f"none longer than {_LONGEST_LEASE_S:.0f} s is waited for here"
        raise Unknown(f"a silent worker keeps its calls for {lease_s or longest_s:.0f} s, and {waited}")
    thread = StackThread(
        StackPlan(
            engine=contestant.engine,
            settings=contestant.settings,
            folder=tmp_path_factory.mktemp(f"{contestant.name}-paused"),
            sagas=("bakeoff.contract.sagas",),
            # Hardly one to spare: the polls of a paused worker go on taking calls that it never answers.
            slots=least_slots(
                contestant.name, contestant.info.settings, contestant.settings, len(_CASES) + 1
            ),
            ledger="postgres",
            faults=True,
        )
    )
    try:
        stack = thread.start()
    except EngineUnavailableError as error:
        if os.environ.get("CI"):
            raise
        raise Unknown(f"no PostgreSQL for the services: {error}") from error
    try:
        patience_s = request.config.getoption("--contract-patience")
        yield _paused(Lab(stack, thread, "paused", patience_s), contestant)
    finally:
        thread.stop()


def _paused(lab: Lab, contestant: Contestant) -> _Paused:
    able = contestant.info.claims[Capability.COMPENSATION].support is not Support.ABSENT
    cases = {name: case for name, case in _CASES.items() if able or not case[1]}
    sagas = {name: start_at(lab, LONG_STEPS, *case) for name, case in reversed(cases.items())}
    there = standing(lab, list(sagas.values()))
    workers = lab.stack.workers
    assert workers is not None, "an engine without workers cannot declare that it survives their kill"
    paused = _Paused({}, frozenset(pid for child in workers.children for pid in child.members()))

    def lasts() -> bool:
        return not all(paused.taken_over(cases[name][0], saga.trace()) for name, saga in sagas.items())

    # Were the other worker started first, a busy machine could need a whole lease for it; then the calls
    # would come back to the worker that is about to be paused, and nobody could take them over from it.
    strike(lab, WorkerPause(), there, everyone=False, beside=lambda: workers.start(1, _UP_S), lasts=lasts)
    ends = dict(zip(sagas, words(lab, list(sagas.values())), strict=True))
    # The worker that was paused has its chance now to do harm; whether it did is for the tests to say.
    with contextlib.suppress(AssertionError):
        lab.until("an effect comes twice", lambda: _twice(sagas), within_s=_CHANCE_S)
    return replace(paused, words=ends)


def _twice(sagas: Mapping[str, Started]) -> bool:
    stories = [saga.trace().story() for saga in sagas.values()]
    return any(len(set(story)) < len(story) for story in stories)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.requires(*([Capability.COMPENSATION] if fates else [])))
        for name, (_, fates) in _CASES.items()
    ],
)
def test_worker_that_comes_back_from_the_dead(after_pause: _Paused, name: str) -> None:
    """Two workers make the same call; its effect is there once, and the engine says what the ledger says."""
    (aim, fates), end = _CASES[name], after_pause.words[name].settled()

    expected = expect(LONG_STEPS, fates)
    assert differences(expected, end.outcome, end.trace, attempts=False) == []
    assert after_pause.taken_over(aim, end.trace), "nobody else took the call over"
