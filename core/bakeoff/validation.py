"""What a saga definition may not say, refused before anything runs."""

from __future__ import annotations

import inspect
import math
import re
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

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

    if not isinstance(saga.name, str) or not _NAME.fullmatch(saga.name):
        raise refuse("its name must start with a letter and hold only letters, digits, '_' and '-'")
    if not isinstance(saga.elements, tuple | list):
        raise refuse(f"its elements must be a tuple such as (Step(...),), not {saga.elements!r}")
    for element in saga.elements:
        if not isinstance(element, Step | Parallel | Wait | Sleep):
            raise refuse(f"{element!r} is neither Step, Parallel, Wait nor Sleep")
        _check_members(element, refuse)
    if not any(isinstance(element, Step | Parallel) for element in saga.elements):
        raise refuse("it has no step; a saga needs at least one Step")
    if not _whole(saga.version) or saga.version < 1:
        raise refuse(f"version {saga.version!r} is not a positive integer")
    _check_names(saga, refuse)
    for element in saga.elements:
        _check_element(element, refuse)
    _check_escalations(saga, refuse)
    _check_pivot(saga, refuse)


def _names(saga: Saga) -> list[str]:
    names = [element.name for element in saga.elements]
    for element in saga.elements:
        if isinstance(element, Parallel):
            names.extend(step.name for step in element.steps)
    return names


def _check_members(element: Element, refuse: _Refuse) -> None:
    if not isinstance(element, Parallel):
        return
    if not isinstance(element.steps, tuple | list):
        raise refuse(f"Parallel {element.name!r}: its steps must be a tuple, not {element.steps!r}")
    for step in element.steps:
        if not isinstance(step, Step):
            raise refuse(f"Parallel {element.name!r} holds {step!r}; only Steps may stand in it")


def _check_names(saga: Saga, refuse: _Refuse) -> None:
    for name in _names(saga):
        if not isinstance(name, str):
            raise refuse(f"step name {name!r} is not a text")
    for name, times in Counter(_names(saga)).items():
        if times > 1:
            raise refuse(f"the name {name!r} is used {times} times; every step needs its own")
        if not _NAME.fullmatch(name):
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
                if step.on_exhausted is not None:
                    raise refuse(
                        f"step {step.name!r}: on_exhausted cannot stand inside Parallel {name!r}; "
                        "its siblings would have to be left as they are"
                    )
        case Wait(name=name, timeout=timeout, on_timeout=on_timeout, when=when):
            if when is not None:
                _check_function(when, f"Wait {name!r}: its condition (when)", refuse)
            for what, given in (("signal", element.signal), ("event", element.event)):
                if given is not None and (not isinstance(given, str) or not _NAME.fullmatch(given)):
                    raise refuse(f"Wait {name!r}: {what} {given!r} is not a name like 'approval'")
            if timeout is not None:
                _check_duration(timeout, f"Wait {name!r}: timeout", refuse)
                if timeout <= timedelta(0):
                    raise refuse(f"Wait {name!r}: timeout {timeout} is not positive")
            if on_timeout not in ("fail", "continue"):
                raise refuse(f"Wait {name!r}: on_timeout must be 'fail' or 'continue', not {on_timeout!r}")
        case Sleep(name=name, duration=duration):
            _check_duration(duration, f"Sleep {name!r}: duration", refuse)
            if duration < timedelta(0):
                raise refuse(f"Sleep {name!r}: duration {duration} is negative")


def _check_step(step: Step, refuse: _Refuse) -> None:
    where = f"step {step.name!r}"
    _check_function(step.action, f"{where}: its action", refuse)
    if step.compensation is not None:
        _check_function(step.compensation, f"{where}: its compensation", refuse)
    if step.compensation is not None and not _NAME.fullmatch(step.compensation_name):
        raise refuse(f"{where}: its compensation needs a plain name, not {step.compensation_name!r}")
    if step.when is not None:
        _check_function(step.when, f"{where}: its condition (when)", refuse)
    if not isinstance(step.pivot, bool):
        raise refuse(f"{where}: pivot must be True or False, not {step.pivot!r}")
    if step.recorded is not True and step.recorded is not False and step.recorded != "once":
        raise refuse(f"{where}: recorded must be True, False or 'once', not {step.recorded!r}")
    for label, timeout in (("timeout", step.timeout), ("compensation_timeout", step.compensation_timeout)):
        _check_duration(timeout, f"{where}: {label}", refuse)
        if timeout <= timedelta(0):
            raise refuse(f"{where}: {label} {timeout} is not positive")
    _check_policy(step.retry, f"{where}: retry", refuse)
    _check_policy(step.compensation_retry, f"{where}: compensation_retry", refuse)


def _check_function(function: Any, where: str, refuse: _Refuse) -> None:
    """Nobody would await a coroutine or read a generator: the step would succeed without having acted."""
    if not callable(function):
        raise refuse(f"{where} {function!r} is not a function")
    for code in (function, type(function).__call__):  # the second for objects with ``async def __call__``
        if inspect.iscoroutinefunction(code):
            raise refuse(f"{where} {_name(function)} is 'async def'; write an ordinary function")
        if inspect.isgeneratorfunction(code) or inspect.isasyncgenfunction(code):
            raise refuse(f"{where} {_name(function)} is a generator; write an ordinary function")


def _check_duration(value: Any, where: str, refuse: _Refuse) -> None:
    if not isinstance(value, timedelta):
        raise refuse(f"{where} must be a timedelta such as timedelta(seconds=5), not {value!r}")


def _check_policy(policy: RetryPolicy, where: str, refuse: _Refuse) -> None:
    if not isinstance(policy, RetryPolicy):
        raise refuse(f"{where} must be a RetryPolicy, not {policy!r}")
    _check_duration(policy.initial_interval, f"{where}: initial_interval", refuse)
    _check_duration(policy.maximum_interval, f"{where}: maximum_interval", refuse)
    if policy.maximum_attempts is not None:
        if not _whole(policy.maximum_attempts):
            raise refuse(
                f"{where}: maximum_attempts {policy.maximum_attempts!r} is neither a whole number nor None"
            )
        if policy.maximum_attempts < 1:
            raise refuse(
                f"{where}: maximum_attempts {policy.maximum_attempts} is below 1 (it counts the first try)"
            )
    if policy.initial_interval < timedelta(0):
        raise refuse(f"{where}: initial_interval {policy.initial_interval} is negative")
    if policy.maximum_interval < policy.initial_interval:
        raise refuse(f"{where}: maximum_interval is shorter than initial_interval")
    coefficient = policy.backoff_coefficient
    if isinstance(coefficient, bool) or not isinstance(coefficient, int | float):
        raise refuse(f"{where}: backoff_coefficient {coefficient!r} is not a number")
    if not math.isfinite(coefficient) or coefficient < 1:
        raise refuse(f"{where}: backoff_coefficient {coefficient} is below 1")


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _name(function: Any) -> str:
    return getattr(function, "__name__", None) or repr(function)


def _check_escalations(saga: Saga, refuse: _Refuse) -> None:
    """An escalation begins with a step behind the ordinary way, and has no escalation of its own."""
    elements = {element.name: element for element in saga.elements}
    for step in saga.steps():
        target = step.on_exhausted
        if target is None:
            continue
        where = f"step {step.name!r}: on_exhausted={target!r}"
        if not isinstance(target, str) or not isinstance(elements.get(target), Step):
            raise refuse(f"{where} names no step of this saga (a group, a wait or a timer cannot be one)")
        if saga.index_of(target) <= saga.index_of(step.name):
            raise refuse(f"{where} stands before it; an escalation stands behind the ordinary way")
        if step.retry.maximum_attempts is None or saga.retry_of(step).maximum_attempts is None:
            raise refuse(f"{where}: its retries are without limit, so they are never exhausted")
    begin = min(map(saga.index_of, saga.escalations()), default=len(saga.elements))
    for element in saga.elements[begin:]:
        if isinstance(element, Step) and element.on_exhausted is not None:
            raise refuse(
                f"step {element.name!r} stands on an escalation and has on_exhausted="
                f"{element.on_exhausted!r}; an escalation has none of its own"
            )


def _check_pivot(saga: Saga, refuse: _Refuse) -> None:
    pivots = [step.name for step in saga.steps() if step.pivot]
    if len(pivots) > 1:
        raise refuse(f"it has {len(pivots)} pivots ({', '.join(pivots)}); there is one point of no return")
    index = saga.pivot_index()
    if index is None:
        return
    pivot = saga.elements[index]
    for element in saga.stretch(index):
        for member in element.steps if isinstance(element, Parallel) else (element,):
            if isinstance(member, Step | Wait) and member.when is not None:
                raise refuse(
                    f"{member.name!r} has a condition (when) and is or follows the pivot {pivot.name!r}; "
                    "a condition that raises could neither be retried nor compensated there"
                )
    for element in saga.stretch(index)[1:]:
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
