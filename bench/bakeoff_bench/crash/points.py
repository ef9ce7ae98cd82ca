"""The crash points of a saga and their names: ``charge_payment.after_effect``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum

from bakeoff.bridge.bridges import IN_PROCESS
from bakeoff.bridge.windows import ANSWERED, DONE, TAKEN, service_windows
from bakeoff.engine import HasWindows, OrchestrationEngine
from bakeoff.errors import UnknownNameError, UsageError
from bakeoff.expectation import expect
from bakeoff.saga import Direction, Saga, Sleep, Step, Wait
from bakeoff.settings import SettingsInForce
from bakeoff.world.points import Aim, Point, Window
from bakeoff_scenarios.answers import answered_waits, prompt_facts

#: The moment that belongs to no step has this name alone.
DURING_START = "during_start"
#: Stands for every window of every engine.
ALL_WINDOWS = "windows"
#: Stands for every window of the services behind a bridge.
SERVICE_WINDOWS = "service-windows"

#: A signal that is sent again and again after a fault is never so late.
_LONG_ENOUGH = timedelta(minutes=10)
#: A longer pause between two attempts would look like a saga that is stuck; attempts that are looked at.
_SHORT_ENOUGH, _MANY = timedelta(seconds=30), 20


class Moment(StrEnum):
    """Where nobody stands: seen in the ledger from outside."""

    WHILE_WAITING = "while_waiting"  #: the saga has come to a wait or a timer
    WHILE_RETRYING = "while_retrying"  #: an attempt failed, the next one is not made yet
    DURING_START = "during_start"  #: the process that starts the saga is about it


def points_of(saga: Saga, windows: Iterable[Window] = ()) -> dict[str, Aim]:
    """``{name: aim}``: of every step, wait and timer, then of every compensation, in the order they come.

    A compensation goes by the name of its function (``refund_payment``); where several
    steps share one, by function and step (``refund.charge_card``).

    Args:
        saga: The saga.
        windows: Of the engines that take part (``windows_of``); each belongs to the call that it follows.
    """
    found = {DURING_START: Aim("", "action", Moment.DURING_START)}
    opened: dict[tuple[str, Direction], list[Aim]] = {}
    for window in windows:
        opened.setdefault((window.aim.step, window.aim.direction), []).append(window.aim)

    def call(step: Step, direction: Direction) -> None:
        name = name_of(saga, step.name, direction)
        aims = [Aim(step.name, direction, point) for point in _points(step, direction)]
        if not saga.retry_of(step, direction).exhausted(1):
            aims.append(Aim(step.name, direction, Moment.WHILE_RETRYING))
        for aim in [*aims, *opened.get((step.name, direction), [])]:
            found[f"{name}.{aim.point}"] = aim

    reached = reached_by(saga)
    for element in saga.elements:
        if isinstance(element, Sleep) or (isinstance(element, Wait) and element.name in reached):
            found[f"{element.name}.{Moment.WHILE_WAITING}"] = Aim(
                element.name, "action", Moment.WHILE_WAITING
            )
        for step in [step for step in saga.steps() if saga.elements[saga.index_of(step.name)] is element]:
            if step.recorded and step.name in reached:
                call(step, "action")
    for step in reversed([step for step in saga.steps() if step.recorded and step.name in reached]):
        if can_be_undone(saga, step):
            call(step, "compensation")
    return found


def reached_by(saga: Saga) -> set[str]:
    """Steps and waits that a saga with prompt answers comes to, on its ordinary way or an escalation."""
    facts = prompt_facts(saga)
    exhausted = [step.name for step in saga.steps() if step.on_exhausted is not None]
    if any(cause == "ConditionError" for cause, _ in expect(saga, {}, facts).causes):
        # A condition on the input, which is not known here: every step may be come to.
        facts = replace(facts, holds=frozenset(one.name for one in saga.steps()) | facts.holds)
    ways = [expect(saga, {}, facts)]
    ways += [expect(saga, {f"{name}:action": {"then": "fault"}}, facts) for name in exhausted]
    tried = {step for way in ways for step, direction in way.attempts if direction == "action"}
    # A step without records leaves none, but is there; nobody strikes it.
    return tried | set(answered_waits(saga))


def exhausting(saga: Saga, element: str) -> str | None:
    """The step whose exhaustion leads to this element; ``None`` for one on the ordinary way."""
    index = saga.index_of(element)
    begins = [name for name in saga.escalations() if saga.index_of(name) <= index]
    if not begins:
        return None
    return next(step.name for step in saga.steps() if step.on_exhausted == begins[-1])


def can_be_undone(saga: Saga, step: Step) -> bool:
    """Whether a compensation of the step can be brought about: nothing is undone from the pivot on."""
    pivot, index = saga.pivot_index(), saga.index_of(step.name)
    return step.compensation is not None and (pivot is None or not pivot <= index < saga.end_of(pivot))


def name_of(saga: Saga, step: str, direction: Direction) -> str:
    """The name of a call: its step, or the function that undoes it, with the step where steps share it."""
    if direction == "action":
        return step
    own = saga.step(step).compensation_name
    shared = [other for other in saga.steps() if other.compensation_name == own]
    return f"{own}.{step}" if len(shared) > 1 else own


def _points(step: Step, direction: Direction) -> Sequence[Point]:
    if step.recorded == "once" and direction == "action":
        return (Point.BETWEEN_STEPS,)  # attempt and effect are one transaction
    return tuple(Point)


def windows_of(
    saga: Saga, engines: Iterable[tuple[OrchestrationEngine, SettingsInForce]], bridge: str = IN_PROCESS
) -> list[Window]:
    """Every window of the saga's calls that any of these engines declares, or the bridge has, each once."""
    found = {window.aim: window for window in (() if bridge == IN_PROCESS else service_windows(saga))}
    for engine, settings in engines:
        if isinstance(engine, HasWindows):
            found |= {window.aim: window for window in engine.windows(saga, settings)}
    return list(found.values())


def windows_named(name: str, windows: Iterable[Window]) -> list[Aim]:
    """Where ``windows`` or ``service-windows`` strikes; nowhere for any other name."""
    if name not in (ALL_WINDOWS, SERVICE_WINDOWS):
        return []
    aims = dict.fromkeys(window.aim for window in windows)
    return [aim for aim in aims if (aim.point in (TAKEN, DONE, ANSWERED)) == (name == SERVICE_WINDOWS)]


def check_saga(saga: Saga) -> None:
    """Refuse what an engine would be blamed for: a wait that may time out, an end that the ledger hides.

    Raises:
        UsageError: For a saga whose wait has a short timeout (a signal that comes after a fault races it),
            whose last act the ledger does not show, or whose first step has no point before its effect.
    """
    recorded = [step for step in saga.steps() if step.recorded]
    waits = [element for element in saga.elements if isinstance(element, Wait)]
    if (
        any(wait.timeout is not None and wait.timeout < _LONG_ENOUGH for wait in waits)
        or any(_pause(saga, step) > _SHORT_ENOUGH for step in recorded)
        or not recorded
        or recorded[0].recorded == "once"
        or not expect(saga, {}, prompt_facts(saga)).ledger_tells
    ):
        raise UsageError(
            f"--saga {saga.name}: `bakeoff crash` needs a saga of recorded steps without short waits "
            "and long retry pauses, such as order, order-approval, onboarding-days or billing"
        )


def _pause(saga: Saga, step: Step) -> timedelta:
    """The longest pause between two attempts of a step: a kill may cost one."""
    policy = saga.retry_of(step)
    pauses = (policy.delay_after(n) for n in range(1, min(policy.maximum_attempts or _MANY, _MANY)))
    return max(pauses, default=timedelta(0))


def choose_points(saga: Saga, names: list[str], windows: Iterable[Window] = ()) -> dict[str, Aim]:
    """The points that ``--point`` names; all that every engine has if it names none.

    A step's name means all of its points, ``windows`` every window of every engine that takes part,
    ``service-windows`` every one of the services behind a bridge.

    Raises:
        UnknownNameError: If there is no such point, with those that there are.
    """
    opened = list(windows)
    known = points_of(saga, opened)
    chosen: dict[str, Aim] = {}
    for name in names:
        matching = {full: aim for full, aim in known.items() if full == name or full.startswith(f"{name}.")}
        aims = windows_named(name, opened)
        matching |= {full: aim for full, aim in known.items() if aim in aims}
        if not matching:
            raise UnknownNameError(
                f"--point {name}: {saga.name} has no such point; it has {', '.join(known)}"
            )
        chosen |= matching
    return chosen or points_of(saga)
