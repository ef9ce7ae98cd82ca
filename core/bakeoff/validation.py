"""What a saga definition may not say, refused before anything runs."""

from __future__ import annotations

import math
import re
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from bakeoff.errors import SagaDefinitionError
from bakeoff.saga import Parallel, RetryPolicy, Sleep, Step, Wait

if TYPE_CHECKING:
    from bakeoff.saga import Element, Saga

#: Names become task, activity and queue names, so they stay within what every engine accepts.
_NAME = re.compile(r"^[A-Za-z][A-Za-z0-9_-]{0,127}$")


def validate(saga: Saga) -> None:
    """Raise ``SagaDefinitionError`` naming saga, place and reason; return nothing if all is well."""

    def refuse(reason: str) -> SagaDefinitionError:
        return SagaDefinitionError(f"saga {saga.name!r}: {reason}")

    if not _NAME.match(saga.name):
        raise refuse("its name must start with a letter and hold only letters, digits, '_' and '-'")
    for element in saga.elements:
        if not isinstance(element, Step | Parallel | Wait | Sleep):
            raise refuse(f"{element!r} is neither Step, Parallel, Wait nor Sleep")
    if not any(isinstance(element, Step | Parallel) for element in saga.elements):
        raise refuse("it has no step; a saga needs at least one Step")
    if saga.version < 1:
        raise refuse(f"version {saga.version} is not a positive integer")
    _check_names(saga, refuse)
    for element in saga.elements:
        _check_element(element, refuse)
    _check_pivot(saga, refuse)


def _names(saga: Saga) -> list[str]:
    names = [element.name for element in saga.elements]
    for element in saga.elements:
        if isinstance(element, Parallel):
            names.extend(step.name for step in element.steps)
    return names


def _check_names(saga: Saga, refuse: _Refuse) -> None:
    for name, times in Counter(_names(saga)).items():
        if times > 1:
            raise refuse(f"the name {name!r} is used {times} times; every step needs its own")
        if not _NAME.match(name):
            raise refuse(
                f"step name {name!r} must start with a letter and hold only letters, digits, '_', '-'"
            )
    for step in saga.steps():
        if step.compensation and step.compensation_name in _names(saga):
            raise refuse(
                f"step {step.name!r}: its compensation is called like a step: {step.compensation_name!r}"
            )


def _check_element(element: Element, refuse: _Refuse) -> None:
    match element:
        case Step():
            _check_step(element, refuse)
        case Parallel(name=name, steps=steps):
            if not steps:
                raise refuse(f"Parallel {name!r} is empty")
            for step in steps:
                _check_step(step, refuse)
                if step.pivot:
                    raise refuse(f"step {step.name!r}: a pivot cannot stand inside Parallel {name!r}")
        case Wait(name=name, timeout=timeout, on_timeout=on_timeout):
            if timeout is not None and timeout <= timedelta(0):
                raise refuse(f"Wait {name!r}: timeout {timeout} is not positive")
            if on_timeout not in ("fail", "continue"):
                raise refuse(f"Wait {name!r}: on_timeout must be 'fail' or 'continue', not {on_timeout!r}")
        case Sleep(name=name, duration=duration):
            if duration < timedelta(0):
                raise refuse(f"Sleep {name!r}: duration {duration} is negative")


def _check_step(step: Step, refuse: _Refuse) -> None:
    where = f"step {step.name!r}"
    if not callable(step.action):
        raise refuse(f"{where}: its action {step.action!r} is not a function")
    if step.compensation is not None and not callable(step.compensation):
        raise refuse(f"{where}: its compensation {step.compensation!r} is not a function")
    if step.compensation is not None and not _NAME.match(step.compensation_name):
        raise refuse(f"{where}: its compensation needs a plain name, not {step.compensation_name!r}")
    if step.when is not None or step.on_exhausted is not None:
        raise refuse(f"{where}: 'when' and 'on_exhausted' are reserved and not supported yet; leave them out")
    for label, timeout in (("timeout", step.timeout), ("compensation_timeout", step.compensation_timeout)):
        if timeout <= timedelta(0):
            raise refuse(f"{where}: {label} {timeout} is not positive")
    _check_policy(step.retry, f"{where}: retry", refuse)
    _check_policy(step.compensation_retry, f"{where}: compensation_retry", refuse)


def _check_policy(policy: RetryPolicy, where: str, refuse: _Refuse) -> None:
    if policy.maximum_attempts is not None and policy.maximum_attempts < 1:
        raise refuse(
            f"{where}: maximum_attempts {policy.maximum_attempts} is below 1 (it counts the first try)"
        )
    if policy.initial_interval < timedelta(0):
        raise refuse(f"{where}: initial_interval {policy.initial_interval} is negative")
    if policy.maximum_interval < policy.initial_interval:
        raise refuse(f"{where}: maximum_interval is shorter than initial_interval")
    if not math.isfinite(policy.backoff_coefficient) or policy.backoff_coefficient < 1:
        raise refuse(f"{where}: backoff_coefficient {policy.backoff_coefficient} is below 1")


def _check_pivot(saga: Saga, refuse: _Refuse) -> None:
    pivots = [step.name for step in saga.steps() if step.pivot]
    if len(pivots) > 1:
        raise refuse(f"it has {len(pivots)} pivots ({', '.join(pivots)}); there is one point of no return")
    index = saga.pivot_index()
    if index is None:
        return
    pivot = saga.elements[index]
    for element in saga.elements[index + 1 :]:
        members = element.steps if isinstance(element, Parallel) else (element,)
        for member in members:
            if isinstance(member, Step) and member.compensation is not None:
                raise refuse(
                    f"step {member.name!r} stands after the pivot {pivot.name!r} and has a compensation; "
                    "nothing is compensated any more there"
                )
            if isinstance(member, Wait) and member.timeout is not None and member.on_timeout == "fail":
                raise refuse(
                    f"Wait {member.name!r} stands after the pivot {pivot.name!r} and fails on timeout; "
                    "use on_timeout='continue'"
                )


if TYPE_CHECKING:
    from typing import Protocol

    class _Refuse(Protocol):
        def __call__(self, reason: str) -> SagaDefinitionError: ...
