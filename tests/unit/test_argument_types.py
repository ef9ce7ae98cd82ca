"""A saga whose arguments have the wrong type is refused when it is defined, with place and value."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import pytest

from bakeoff.errors import SagaDefinitionError
from bakeoff.saga import JSON, Call, Parallel, RetryPolicy, Saga, Sleep, Step, Wait

SECOND = timedelta(seconds=1)


def act(call: Call) -> JSON:
    return None


async def act_async(call: Call) -> JSON:
    return None


def act_bit_by_bit(call: Call) -> Iterator[JSON]:
    yield None


async def act_async_bit_by_bit(call: Call) -> AsyncIterator[JSON]:
    yield None


class ActingObject:
    async def __call__(self, call: Call) -> JSON:
        return None


def step(name: Any = "a", action: Any = act, **more: Any) -> Step:
    return Step(name=name, action=action, **more)


def retry(**more: Any) -> tuple[Step, ...]:
    return (step(retry=RetryPolicy(**more)),)


REFUSED: dict[str, tuple[Any, str]] = {
    "async action": ((step(action=act_async),), "step 'a': its action act_async is 'async def'"),
    "async compensation": ((step(compensation=act_async),), "its compensation act_async is 'async def'"),
    "async action in part": ((step(action=functools.partial(act_async)),), "is 'async def'"),
    "async object": ((step(action=ActingObject()),), "is 'async def'"),
    "async action in a group": (
        (Parallel(name="g", steps=(step(action=act_async),)),),
        "its action act_async is 'async def'",
    ),
    "generator": ((step(action=act_bit_by_bit),), "its action act_bit_by_bit is a generator"),
    "async generator": ((step(action=act_async_bit_by_bit),), "is a generator"),
    "timeout in seconds": (
        (step(timeout=5),),
        "step 'a': timeout must be a timedelta such as timedelta(seconds=5), not 5",
    ),
    "no timeout": ((step(timeout=None),), "timeout must be a timedelta"),
    "compensation timeout": ((step(compensation_timeout=2.5),), "compensation_timeout must be a timedelta"),
    "timeout of a wait": ((step(), Wait(name="w", timeout=5)), "Wait 'w': timeout must be a timedelta"),  # type: ignore[arg-type]
    "duration": ((step(), Sleep(name="s", duration=1)), "Sleep 's': duration must be a timedelta"),  # type: ignore[arg-type]
    "retry as a number": ((step(retry=3),), "step 'a': retry must be a RetryPolicy, not 3"),
    "no retry": ((step(retry=None),), "retry must be a RetryPolicy, not None"),
    "retry of the compensation": ((step(compensation_retry=3),), "compensation_retry must be a RetryPolicy"),
    "interval in seconds": (retry(initial_interval=1), "retry: initial_interval must be a timedelta"),
    "longest interval": (retry(maximum_interval=1), "retry: maximum_interval must be a timedelta"),
    "attempts as text": (retry(maximum_attempts="3"), "maximum_attempts '3' is neither a whole number"),
    "half an attempt": (retry(maximum_attempts=2.5), "maximum_attempts 2.5 is neither a whole number"),
    "backoff as text": (retry(backoff_coefficient="2"), "backoff_coefficient '2' is not a number"),
    "pivot as text": ((step(pivot="yes"),), "pivot must be True or False, not 'yes'"),
    "recorded otherwise": ((step(recorded="twice"),), "recorded must be True, False or 'once', not 'twice'"),
    "name that is no text": ((step(name=1),), "step name 1 is not a text"),
    "a forgotten comma": (step(), "its elements must be a tuple such as (Step(...),)"),
    "a forgotten comma in a group": ((Parallel(name="g", steps=step()),), "its steps must be a tuple"),  # type: ignore[arg-type]
    "a sleep in a group": (
        (Parallel(name="g", steps=(step(), Sleep(name="s", duration=SECOND))),),  # type: ignore[arg-type]
        "only Steps may stand in it",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refuses_with_saga_place_and_value(name: str) -> None:
    elements, reason = REFUSED[name]

    with pytest.raises(SagaDefinitionError, match="saga 'odd'") as caught:
        Saga("odd", elements)

    assert reason in str(caught.value)


@pytest.mark.parametrize("name", [None, 7])
def test_refuses_a_name_that_is_no_text(name: Any) -> None:
    with pytest.raises(SagaDefinitionError, match="its name must start with a letter"):
        Saga(name, (step(),))


@pytest.mark.parametrize("version", ["1", 1.5, None, True])
def test_refuses_a_version_that_is_no_whole_number(version: Any) -> None:
    with pytest.raises(SagaDefinitionError, match="is not a positive integer"):
        Saga("odd", (step(),), version)


def test_accepts_objects_and_parts_that_act_at_once() -> None:
    """Whatever can be called with one argument is an action."""

    class Acting:
        def __call__(self, call: Call) -> JSON:
            return None

    saga = Saga(
        "fine", (step("a", Acting()), step("b", functools.partial(act)), step("c", lambda call: None))
    )

    assert [s.name for s in saga.steps()] == ["a", "b", "c"]
