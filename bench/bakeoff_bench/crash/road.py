"""How a saga is led to a point: what it must suffer, where it stops on the way, which signals it needs."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from bakeoff.checkers import Planned
from bakeoff.errors import UsageError
from bakeoff.expectation import Expectation, expect
from bakeoff.orders.model import Order
from bakeoff.saga import JSON, Parallel, Saga, Sleep, Step
from bakeoff.world import Aim, Fate, Point, Record, Window
from bakeoff_bench.crash.points import Moment, exhausting, reached_by
from bakeoff_scenarios.answers import answered_waits, prompt_facts

#: Attempts that fail before a kill between two attempts: the pause doubles each time, and a longer one is
#: easier to hit; the last attempt is left to the engine.
_FAILURES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Road:
    """The way to one point of one saga.

    Attributes:
        aim: The point.
        fates: What the domain does to the saga, so that it gets there.
        stage: Where it stops before a point that does not last, until all is ready; ``None`` for none.
        early: Waits on the way, whose signals are sent at once; those of all others after the fault.
    """

    aim: Aim
    fates: dict[str, Fate]
    stage: Aim | None
    early: frozenset[str]


def road_to(saga: Saga, aim: Aim, windows: Iterable[Window] = ()) -> Road:
    """Lead a saga to ``aim``; ``windows`` are those that its engine declares.

    Raises:
        UsageError: If a compensation cannot be brought about.
    """
    until, fates = _forced(saga, aim)
    if aim.point == Moment.WHILE_RETRYING:
        failures: Fate = {"first": ["fault"] * failures_before(saga, aim)}
        fates |= {f"{aim.step}:{aim.direction}": failures}
    elif any(window.aim == aim and window.after == "decline" for window in windows):
        fates |= {f"{aim.step}:{aim.direction}": {"then": "decline"}}
    end = len(saga.elements) if until is None else saga.index_of(until)
    early = frozenset(name for name in answered_waits(saga) if saga.index_of(name) < end)
    return Road(aim=aim, fates=fates, stage=_stage(saga, aim), early=early)


def failures_before(saga: Saga, aim: Aim) -> int:
    """How many attempts fail before a kill between two attempts."""
    most = saga.retry_of(saga.step(aim.step), aim.direction).maximum_attempts
    return _FAILURES if most is None else min(_FAILURES, most - 1)


def plan_saga(saga: Saga, order: Order, road: Road | None, *, bridged: bool = False) -> Planned:
    """What the saga of an order must come to; ``road=None`` for one that stands beside.

    Its alternatives are ends that are as good under a fault; ``choose_end`` tells which of them counts.
    ``bridged``: any step may use up its attempts while its service is away.
    """
    ends = _ends(saga, road, order.order_id, bridged=bridged)
    return Planned(
        workflow_id=order.workflow_id,
        input=order.order_id,
        order_id=order.order_id,
        expected=_expect(saga, road, order.order_id, {}),
        alternatives=tuple(end for _, end in ends),
    )


def choose_end(
    saga: Saga, road: Road | None, planned: Planned, records: Sequence[Record], *, bridged: bool = False
) -> Planned:
    """The plan with the one end that the ledger shows, if it is as good as the first one.

    ``road`` and ``bridged`` as in ``plan_saga``.
    """
    # Whether attempts that were lost had acted shows in the undo; of a step without one in its effect.
    told = {
        (r.step, r.direction, r.kind)
        for r in records
        if (r.direction == "compensation" and r.kind in ("effect", "nothing"))
        or (r.direction == "action" and r.kind == "effect" and saga.step(r.step).compensation is None)
    }
    ends = _ends(saga, road, planned.input, bridged=bridged)
    good = [
        planned.expected,
        *(end for spent, end in ends if all(_spent(saga, step, road, records) for step in spent)),
    ]
    tried = {r.call for r in records if r.kind == "attempt" and r.direction == "action"}
    shown = (
        end
        for end in good
        if told <= {mark for group in end.effects for mark in group} and tried <= end.attempts.keys()
    )
    return replace(planned, expected=next(shown, planned.expected), alternatives=())


def _ends(
    saga: Saga, road: Road | None, input: JSON, *, bridged: bool
) -> list[tuple[Sequence[Step], Expectation]]:
    """``(steps whose attempts must all be used up, end)`` of everything that a fault may bring about."""
    ends: list[tuple[Sequence[Step], Expectation]] = []
    # An attempt that was lost may have acted: its step has an undo of its own, though it was declined.
    for name, fate in road.fates.items() if road else ():
        if fate.get("then") == "decline" and not fate.get("first"):
            ends.append(((), _expect(saga, road, input, {name: {"first": ["fault"], "then": "decline"}})))
    # All of its attempts were lost: the saga is compensated. What an engine calls that is its own matter.
    first = next(step for step in saga.steps() if step.recorded)
    spent: list[Sequence[Step]] = [(first,)]
    if bridged:
        spent = list(_together(saga))
    elif road is not None:
        forward = road.aim.direction == "action" and road.aim.step in _steps(saga)
        spent = [(saga.step(road.aim.step),)] if forward else []
    for steps in spent:
        if any(saga.retry_of(step).maximum_attempts is None for step in steps):
            continue
        # The effect of each was committed when the process died, or not.
        for words in itertools.product(("fault", "unknown"), repeat=len(steps)):
            lost: dict[str, Fate] = {
                f"{step.name}:action": {"then": word} for step, word in zip(steps, words, strict=True)
            }
            end = _expect(saga, road, input, lost)
            ends.append((steps, replace(end, causes=frozenset())))
    return ends


def _together(saga: Saga) -> Iterator[Sequence[Step]]:
    """Every set of steps that may use up their attempts at once: one, or several members of a group."""
    for element in saga.elements:
        members = element.steps if isinstance(element, Parallel) else (element,)
        steps = [step for step in members if isinstance(step, Step) and step.recorded]
        for count in range(1, len(steps) + 1):
            yield from itertools.combinations(steps, count)


def _expect(saga: Saga, road: Road | None, input: JSON, fates: dict[str, Fate]) -> Expectation:
    return expect(saga, {**(road.fates if road else {}), **fates}, prompt_facts(saga, input))


def _spent(saga: Saga, step: Step, road: Road | None, records: Sequence[Record]) -> bool:
    """Whether the ledger shows as many attempts of the step as its policy allows."""
    most = saga.retry_of(step).maximum_attempts
    tried = [r for r in records if r.kind == "attempt" and r.call == (step.name, "action")]
    # Between two attempts the engine may have handed the next one to the worker that died.
    lost = int(road is not None and road.aim == Aim(step.name, "action", Moment.WHILE_RETRYING))
    return most is not None and max((max(r.attempt, r.ordinal) for r in tried), default=0) + lost >= most


def _steps(saga: Saga) -> set[str]:
    return {step.name for step in saga.steps()}


def _forced(saga: Saga, aim: Aim) -> tuple[str | None, dict[str, Fate]]:
    """Until which element the saga has to go forward, and what brings it to its compensation."""
    if aim.point == Moment.DURING_START:
        return next(one.name for one in saga.elements), {}
    spent = exhausting(saga, aim.step)
    onto: dict[str, Fate] = {} if spent is None else {f"{spent}:action": {"then": "fault"}}
    if aim.direction == "action":
        return aim.step, onto
    undone, pivot = saga.step(aim.step), saga.pivot_index()
    reached, end = reached_by(saga), saga.end_of(saga.index_of(aim.step))
    later = [
        step
        for step in saga.steps()
        if step.recorded
        and step is not undone
        and step.name in reached
        and saga.index_of(step.name) < end
        and saga.index_of(step.name) >= saga.index_of(aim.step)
        and (pivot is None or not pivot < saga.index_of(step.name) < saga.end_of(pivot))
    ]
    if later:
        return later[-1].name, onto | {f"{later[-1].name}:action": {"then": "decline"}}
    if undone.retry.exhausted(1) or (pivot is not None and saga.index_of(aim.step) >= pivot):
        raise UsageError(f"nothing brings {saga.name} to undo {aim.step}")
    # Nobody else can decline: its own effect is made, not confirmed, and then declined.
    return aim.step, onto | {f"{aim.step}:action": {"first": ["unknown"], "then": "decline"}}


def _stage(saga: Saga, aim: Aim) -> Aim | None:
    if aim.point in tuple(Point) or aim.point == Moment.DURING_START:
        return None
    if aim.point != Moment.WHILE_WAITING:
        return Aim(aim.step, aim.direction, Point.BETWEEN_STEPS)
    element = saga.elements[saga.index_of(aim.step)]
    before = steps_before(saga, aim.step)
    if isinstance(element, Sleep) and before:
        return Aim(before[-1].name, "action", Point.AFTER_EFFECT)
    return None  # a wait lasts as long as nobody sends its signal


def steps_before(saga: Saga, element: str) -> list[Step]:
    """Recorded steps of all elements before this one."""
    on_the_way = {one.name for one in saga.way_to(element, exhausting(saga, element))}
    elements = {step.name: saga.elements[saga.index_of(step.name)].name for step in saga.steps()}
    reached = reached_by(saga)
    return [
        step
        for step in saga.steps()
        if step.recorded and step.name in reached and elements[step.name] in on_the_way
    ]
