"""Makes up sagas and fault plans, and compares what happened with the independent model.

The choices come from outside: from Hypothesis in a property test, from a seeded generator in the pool
that every engine's workers can load (``bakeoff.contract.generated``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Literal, Protocol, TypeVar

from bakeoff.contract import actions
from bakeoff.contract.trace import Trace
from bakeoff.expectation import Expectation
from bakeoff.outcome import Outcome
from bakeoff.saga import JSON, Element, Parallel, RetryPolicy, Saga, Sleep, Step
from bakeoff.world import Fate

T = TypeVar("T")

Kind = Literal["plain", "groups", "pivots", "timers", "conditions", "escalations"]
KINDS: tuple[Kind, ...] = ("plain", "groups", "pivots", "timers", "conditions", "escalations")
#: What every generated saga is started with; conditions look at it.
INPUT: JSON = {"traveller": "Ada", "nights": 3}


class Choose(Protocol):
    """Picks one of several options."""

    def __call__(self, options: Sequence[T], /) -> T:
        """Return one of ``options``."""


def generate(choose: Choose, name: str, kind: Kind) -> tuple[Saga, dict[str, Fate]]:
    """Return a saga that settles whatever it suffers, and what it suffers.

    Args:
        choose: Where the choices come from.
        name: Of the saga.
        kind: ``plain`` (steps alone), with ``groups``, with a pivot (``pivots``), with ``timers``, with
            ``conditions`` (of members of groups, too), with ``escalations`` (and conditions).
    """
    branching = kind in ("conditions", "escalations")
    rescues = tuple(f"rescue_{number}" for number in range(choose((1, 2)))) if kind == "escalations" else ()
    count = choose((1, 2, 3, 4))
    pivot = choose(range(count)) if kind == "pivots" else count
    elements: list[Element] = []
    for place in range(count):
        if kind in ("groups", "conditions") and choose((True, False)):
            steps = tuple(_step(choose, f"step_{place}_{member}", True) for member in range(choose((2, 3))))
            steps = tuple(_conditional(choose, step) for step in steps) if branching else steps
            elements.append(Parallel(name=f"group_{place}", steps=steps))
            continue
        step = _step(choose, f"step_{place}", place <= pivot, pivot=place == pivot)
        elements.append(_branching(choose, step, rescues) if branching else step)
        if kind == "timers" and choose((True, False)):
            elements.append(Sleep(name=f"sleep_{place}", duration=timedelta(milliseconds=choose((0, 20)))))
    for rescue in rescues:
        more = [rescue, f"{rescue}_too"][: choose((1, 2))]
        elements += [_branching(choose, _step(choose, each, True), ()) for each in more]
    saga = Saga(name, tuple(elements))
    fates: dict[str, Fate] = {}
    for step in saga.steps():
        if step.on_exhausted is not None and choose((True, False)):
            fates[f"{step.name}:action"] = {"then": choose(("fault", "unknown"))}
        elif choose((True, False)):
            bounded = saga.retry_of(step).maximum_attempts is not None
            fates[f"{step.name}:action"] = _fate(choose, bounded=bounded, may_decline=step.pivot)
        if step.compensation is not None and choose((True, False, False)):
            fates[f"{step.name}:compensation"] = _fate(choose, bounded=True)
    return saga, fates


def _step(choose: Choose, name: str, may_undo: bool, *, pivot: bool = False) -> Step:
    return Step(
        name=name,
        action=actions.count,
        compensation=actions.uncount if may_undo and choose((True, True, False)) else None,
        retry=_policy(choose),
        compensation_retry=_policy(choose),
        pivot=pivot,
    )


def _branching(choose: Choose, step: Step, rescues: Sequence[str]) -> Step:
    """Perhaps with an escalation, perhaps with a condition."""
    escalates = choose((True, False)) if rescues else False
    if escalates:
        step = replace(step, on_exhausted=choose(rescues))
    return _conditional(choose, step)


def _conditional(choose: Choose, step: Step) -> Step:
    """Perhaps with a condition: on the input, on what was left out before, or one that raises."""
    often = (None, None, _for_many_nights, _for_few_nights, _without_the_first)
    return replace(step, when=choose((*often, *often, _raising)))


def _for_many_nights(input: JSON, results: Mapping[str, JSON]) -> bool:
    return bool(input["nights"] > 5)


def _for_few_nights(input: JSON, results: Mapping[str, JSON]) -> bool:
    return bool(input["nights"] <= 5)


def _without_the_first(input: JSON, results: Mapping[str, JSON]) -> bool:
    return "step_0" not in results


def _raising(input: JSON, results: Mapping[str, JSON]) -> bool:
    return bool(input["days"])


def _policy(choose: Choose) -> RetryPolicy:
    return RetryPolicy(
        initial_interval=timedelta(milliseconds=choose((1, 10))),
        backoff_coefficient=choose((1.0, 2.0)),
        maximum_attempts=choose((1, 2, 3)),
    )


def _fate(choose: Choose, *, bounded: bool, may_decline: bool = False) -> Fate:
    """What a call suffers; where retries have no bound it must end well, or in a decline at the pivot."""
    words = ("ok", "fault", "fault", "unknown", "decline", "unserialisable")
    first = [choose(words) for _ in range(choose((0, 1, 2) if bounded else (1, 2, 3, 4)))]
    if bounded:
        return {"first": first, "then": choose(("ok", "ok", "ok", "fault", "unknown", "decline"))}
    return {"first": first, "then": choose(("ok", "decline")) if may_decline else "ok"}


def differences(expected: Expectation, outcome: Outcome, trace: Trace, *, attempts: bool = True) -> list[str]:
    """What is not as the model says; empty if all is. ``attempts=False`` leaves their number open."""
    found: list[str] = []

    def compare(what: str, is_so: object, should_be: object) -> None:
        if is_so != should_be:
            found.append(f"{what}: {is_so!r}, but the model says {should_be!r}")

    compare("status", outcome.status, expected.status)
    cause = (outcome.cause.type, outcome.cause.step) if outcome.cause else None
    if cause not in expected.causes and (cause or expected.causes):
        found.append(f"cause: {cause}, but the model says one of {sorted(expected.causes)}")
    compare("failed compensations", frozenset(outcome.failed_compensations), expected.failed_compensations)
    if attempts:
        compare("attempts", attempts_of(trace), dict(expected.attempts))
    effects = [
        (record.step, record.direction, record.kind)
        for record in trace.records
        if record.kind in ("effect", "nothing")
    ]
    sizes = [len(group) for group in expected.effects]
    starts = [sum(sizes[:place]) for place in range(len(sizes))]
    groups = [frozenset(effects[start : start + size]) for start, size in zip(starts, sizes, strict=True)]
    compare("effects", groups, list(expected.effects))
    compare("number of effects", len(effects), sum(sizes))
    return found


def attempts_of(trace: Trace) -> dict[tuple[str, str], int]:
    """``{(step, direction): attempts}`` of every call that was attempted."""
    return dict(Counter(record.call for record in trace.records if record.kind == "attempt"))
