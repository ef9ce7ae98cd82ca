"""S10: a process that dies at any point of a step or of an undo costs time, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Mapping

import pytest

from bakeoff.contract.contestants import Contestant
from bakeoff.contract.generator import attempts_of, differences
from bakeoff.contract.lab import Fates, Lab, Settled, Started
from bakeoff.contract.sagas import JOURNEY
from bakeoff.contract.statuses import Unknown
from bakeoff.contract.strike import Word, standing, start_at, strike, words
from bakeoff.contract.trace import Trace
from bakeoff.engine import Capability, EngineInfo, HasWindows, Support, Survives
from bakeoff.expectation import expect
from bakeoff.nemesis import ChildKill, Fault, WorkerKill
from bakeoff.outcome import Status
from bakeoff.world import Aim, Point, Reached

pytestmark = [
    pytest.mark.recovery,
    pytest.mark.timeout(300),
    pytest.mark.requires(Survives.STEP_KILL, Capability.ORDER, Capability.RETRY, Capability.OUTCOME),
]

_STEPS = list(JOURNEY.steps())
#: Every point of every step and of every undo by its name, in the order in which a saga comes there.
_ACTIONS = {f"{step.name}.{point}": Aim(step.name, "action", point) for step in _STEPS for point in Point}
_UNDOS = {
    f"{step.compensation_name}.{point}": Aim(step.name, "compensation", point)
    for step in reversed(_STEPS)
    if step.compensation
    for point in Point
}
#: A saga whose last step is declined undoes everything before it.
_DECLINED: Fates = {f"{_STEPS[-1].name}:action": {"then": "decline"}}
#: A step whose first attempt dies with its process, and whose second one is declined.
_DOUBTFUL = {f"book_car.{point}, then declined": point for point in (Point.BEFORE_EFFECT, Point.AFTER_EFFECT)}
_DIES_THEN_DECLINED: Fates = {"book_car:action": {"first": ["ok"], "then": "decline"}}
#: Seconds that whoever has done a step needs at most to say so on a busy machine.
_TO_ACKNOWLEDGE_S = 1.5

Cases = Mapping[str, tuple[Aim, Fates]]


def _rounds(contestant: Contestant) -> tuple[Cases, Cases]:
    """``{name: where it stands and what it suffers}`` of what the engine can do: there, and back."""
    there: Cases = {name: (aim, {}) for name, aim in _ACTIONS.items()}
    absent = {need for need, claim in contestant.info.claims.items() if claim.support is Support.ABSENT}
    if Capability.COMPENSATION in absent:
        return there, {}
    back: Cases = {name: (aim, _DECLINED) for name, aim in _UNDOS.items()}
    if Capability.OWN_UNDO not in absent:
        doubtful = {name: Aim("book_car", "action", point) for name, point in _DOUBTFUL.items()}
        back = {**back, **{name: (aim, _DIES_THEN_DECLINED) for name, aim in doubtful.items()}}
    return there, back


def _windows(contestant: Contestant) -> Cases:
    """One of each kind that the engine declares, in the middle of the saga, forward and on the way back."""
    if not isinstance(contestant.engine, HasWindows):
        return {}
    plan: dict[str, tuple[Aim, Fates]] = {}
    for window in contestant.engine.windows(JOURNEY, contestant.settings):
        aim = window.aim
        if aim.step != "book_hotel":
            continue
        if window.after == "decline":
            plan[f"{aim.point}, declined"] = aim, {"book_hotel:action": {"then": "decline"}}
        elif aim.direction == "compensation":
            plan[f"{aim.point} of an undo"] = aim, _DECLINED
        else:
            plan |= {aim.point: (aim, {}), f"{aim.point}, declined later": (aim, _DECLINED)}
    return plan


def _struck_everywhere(
    lab: Lab, fault: Fault, steps: Cases, windows: Cases | None = None
) -> Mapping[str, Word]:
    """One saga per case, all of them standing when the fault comes: one recovery for all.

    What stands in windows may be code that an engine watches more closely than a step, so it comes last.
    """
    found: dict[str, Started] = {}
    there: dict[str, Reached] = {}
    for plan in (steps, windows or {}):
        # Those that have the longest way start first.
        started = {name: start_at(lab, JOURNEY, *plan[name]) for name in reversed(list(plan))}
        there |= standing(lab, list(started.values()))
        found |= started
        if plan is steps:
            # A step may stand before the processes of those before it came to acknowledge their messages,
            # and nobody can be asked whether all have.
            time.sleep(_TO_ACKNOWLEDGE_S)
    strike(lab, fault, there)
    return dict(zip(found, words(lab, list(found.values())), strict=True))


@pytest.fixture(scope="session")
def killed(killable: Lab, contestant: Contestant) -> Mapping[str, Word]:
    """A saga at every point, and every worker killed: once for the way there, once for the way back."""
    there, back = _rounds(contestant)
    found = dict(_struck_everywhere(killable, WorkerKill(), there))
    if back:
        found |= _struck_everywhere(killable, WorkerKill(), back, _windows(contestant))
    return found


def _wrong(aim: Aim, end: Settled, fates: Fates, about: EngineInfo) -> list[str]:
    """What is not as if nothing had happened, but for attempts that the death of a process explains."""
    expected = expect(JOURNEY, fates)
    wrong = differences(expected, end.outcome, end.trace, attempts=False)
    planned: dict[tuple[str, str], int] = dict(expected.attempts.items())
    found = attempts_of(end.trace)
    calls = list(planned)
    struck = calls.index((aim.step, aim.direction))
    # The message of the step before may not have been acknowledged when its successor stood at the point.
    again = set(calls if about.repeats_saga else calls[max(struck - 1, 0) :])
    for call in {*planned, *found}:
        made, needed = found.get(call, 0), planned.get(call, 0)
        if made < needed or (made > needed and call not in again):
            wrong.append(f"{call} was attempted {made} times, and the death of a process explains {needed}")
    if not _was_attempted_again(aim, end):
        wrong.append(f"{aim.step} ({aim.direction}) was not attempted again: the fault did not strike it")
    return wrong


def _was_attempted_again(aim: Aim, end: Settled) -> bool:
    """The ledger shows that the call was under way, and the second attempt that its effect was there."""
    attempts = end.trace.attempts(aim.step, aim.direction)
    if aim.point is Point.AFTER_EFFECT:
        return any(attempt.repeat for attempt in attempts)
    return len(attempts) >= (1 if aim.point is Point.BETWEEN_STEPS else 2)


@pytest.mark.parametrize("name", _ACTIONS)
def test_crash_at_every_point_of_a_step(
    killed: Mapping[str, Word], contestant: Contestant, name: str
) -> None:
    """The worker dies there; the saga is completed, every effect is there once and in its order."""
    end = killed[name].settled()

    assert end.outcome.status is Status.COMPLETED
    assert _wrong(_ACTIONS[name], end, {}, contestant.info) == []


@pytest.mark.requires(Capability.COMPENSATION)
@pytest.mark.parametrize("name", _UNDOS)
def test_crash_at_every_point_of_an_undo(
    killed: Mapping[str, Word], contestant: Contestant, name: str
) -> None:
    """The worker dies on the way back; everything is undone, once and in reverse."""
    end = killed[name].settled()

    assert end.outcome.status is Status.COMPENSATED
    assert _wrong(_UNDOS[name], end, _DECLINED, contestant.info) == []


@pytest.mark.requires(Capability.COMPENSATION, Capability.OWN_UNDO)
@pytest.mark.parametrize("name", _DOUBTFUL)
def test_step_declined_after_its_process_died_is_undone(killed: Mapping[str, Word], name: str) -> None:
    """Nobody knows what the first attempt did, so the no of the second one is not the whole answer."""
    end = killed[name].settled()

    did = (
        ["book_car", "undo book_car"]
        if _DOUBTFUL[name] is Point.AFTER_EFFECT
        else ["undo book_car (nothing)"]
    )
    assert end.outcome.status is Status.COMPENSATED
    assert end.story == ["book_flight", "book_hotel", *did, "undo book_hotel", "undo book_flight"]


@pytest.mark.requires(Capability.COMPENSATION)
def test_crash_in_the_engines_own_windows(killed: Mapping[str, Word], contestant: Contestant) -> None:
    """Its next message is out and this one comes again; its failure is noted and nothing follows yet.

    What follows may be delivered twice from there on; each effect is there once all the same.
    """
    windows = _windows(contestant)
    if not windows:
        raise Unknown("it declares no windows of its own")

    wrong = {}
    for name, (aim, fates) in windows.items():
        end = killed[name].settled()
        # Of a step that was declined and whose process died then, nobody knows: it may be undone, too (S3).
        records = [r for r in end.trace.records if not (r.kind == "nothing" and r.step == aim.step)]
        wrong[name] = differences(expect(JOURNEY, fates), end.outcome, Trace(records), attempts=False)
    assert {name: what for name, what in wrong.items() if what} == {}


@pytest.mark.requires(Capability.COMPENSATION)
def test_death_of_a_pool_child_at_every_point(killable: Lab, contestant: Contestant) -> None:
    """Only the process that acts dies, the worker lives: nothing is lost with it."""
    wrong: dict[str, list[str]] = {}
    for cases in _rounds(contestant):
        certain = {name: case for name, case in cases.items() if name not in _DOUBTFUL}
        found = _struck_everywhere(killable, ChildKill(), certain)
        about = contestant.info
        wrong |= {
            name: _wrong(aim, found[name].settled(), fates, about) for name, (aim, fates) in certain.items()
        }
    assert {name: what for name, what in wrong.items() if what} == {}
