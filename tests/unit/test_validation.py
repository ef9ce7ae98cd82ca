"""A saga definition that cannot mean anything is refused before anything runs."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bakeoff.errors import SagaDefinitionError
from bakeoff.saga import JSON, Call, Element, Parallel, RetryPolicy, Saga, Sleep, Step, Wait

ZERO = timedelta(0)
SECOND = timedelta(seconds=1)


def act(call: Call) -> JSON:
    return None


def undo(call: Call) -> JSON:
    return None


def step(name: str = "a", **more: object) -> Step:
    return Step(name=name, action=act, **more)  # type: ignore[arg-type]


PIVOT = step("pivot", pivot=True)

REFUSED: dict[str, tuple[tuple[Element, ...], str]] = {
    "no element": ((), "it has no step"),
    "no step": ((Sleep(name="s", duration=SECOND),), "it has no step"),
    "name twice": ((step("a"), step("a")), "'a' is used 2 times"),
    "name twice across a group": ((step("a"), Parallel(name="g", steps=(step("a"),))), "'a' is used 2 times"),
    "name of a wait and a step": ((step("a"), Wait(name="a")), "'a' is used 2 times"),
    "odd name": ((step("a b"),), "must start with a letter"),
    "empty group": ((step("a"), Parallel(name="g", steps=())), "Parallel 'g' is empty"),
    "pivot in a group": (
        (Parallel(name="g", steps=(step("a", pivot=True),)),),
        "cannot stand inside Parallel",
    ),
    "two pivots": ((PIVOT, step("b", pivot=True)), "2 pivots"),
    "compensation after the pivot": ((PIVOT, step("b", compensation=undo)), "after the pivot"),
    "compensation in a group after the pivot": (
        (PIVOT, Parallel(name="g", steps=(step("b", compensation=undo),))),
        "after the pivot",
    ),
    "wait that fails after the pivot": ((PIVOT, Wait(name="w", timeout=SECOND)), "use on_timeout='continue'"),
    "no attempts": ((step(retry=RetryPolicy(maximum_attempts=0)),), "maximum_attempts 0 is below 1"),
    "negative interval": ((step(retry=RetryPolicy(initial_interval=-SECOND)),), "is negative"),
    "shrinking backoff": ((step(retry=RetryPolicy(backoff_coefficient=0.5)),), "backoff_coefficient 0.5"),
    "backoff that is no number": ((step(retry=RetryPolicy(backoff_coefficient=float("nan"))),), "nan"),
    "maximum below initial": (
        (step(retry=RetryPolicy(initial_interval=SECOND, maximum_interval=SECOND / 2)),),
        "maximum_interval is shorter",
    ),
    "policy of the compensation": (
        (step(compensation=undo, compensation_retry=RetryPolicy(maximum_attempts=-1)),),
        "compensation_retry: maximum_attempts -1",
    ),
    "no time": ((step(timeout=ZERO),), "timeout 0:00:00 is not positive"),
    "no time for the compensation": ((step(compensation_timeout=ZERO),), "compensation_timeout"),
    "wait without time": ((step(), Wait(name="w", timeout=ZERO)), "Wait 'w': timeout"),
    "wait with an odd end": ((step(), Wait(name="w", on_timeout="explode")), "'explode'"),  # type: ignore[arg-type]
    "negative sleep": ((step(), Sleep(name="s", duration=-SECOND)), "duration"),
    "action that is no function": ((Step(name="a", action="act"),), "is not a function"),  # type: ignore[arg-type]
    "nameless compensation": ((step(compensation=lambda call: None),), "needs a plain name"),
    "compensation called like a step": ((step("undo", compensation=undo),), "called like a step"),
    "condition that is no function": ((step(when=True),), "condition"),
    "condition of a wait that is no function": (
        (step(), Wait(name="w", when="yes")),  # type: ignore[arg-type]
        "condition",
    ),
    "signal that is no name": ((step(), Wait(name="w", signal="two words")), "signal 'two words'"),
    "condition at the pivot": ((step(pivot=True, when=lambda input, results: True),), "pivot"),
    "condition after the pivot": (
        (step(pivot=True), step("b", when=lambda input, results: True)),
        "follows the pivot",
    ),
    "escalation nowhere": ((step(on_exhausted="b"),), "names no step"),
    "escalation to a wait": ((step(on_exhausted="b"), Wait(name="b")), "names no step"),
    "escalation backwards": ((step(), step("b", on_exhausted="a")), "stands before it"),
    "escalation to itself": ((step(on_exhausted="a"),), "stands before it"),
    "escalation of an escalation": (
        (step(on_exhausted="b"), step("b", on_exhausted="c"), step("c")),
        "none of its own",
    ),
    "escalation of a pivot": ((step(pivot=True, on_exhausted="b"), step("b")), "without limit"),
    "escalation after the pivot": (
        (step(pivot=True), step("b", on_exhausted="c"), step("c")),
        "without limit",
    ),
    "escalation without end": (
        (step(retry=RetryPolicy(maximum_attempts=None), on_exhausted="b"), step("b")),
        "without limit",
    ),
    "escalation in a group": (
        (Parallel(name="p", steps=(step(on_exhausted="b"),)), step("b")),
        "inside Parallel",
    ),
    "something else": ((step(), "b"), "neither Step"),  # type: ignore[dict-item]
}


@pytest.mark.parametrize("name", REFUSED)
def test_refuses_with_saga_and_reason(name: str) -> None:
    """The message names the saga and what is wrong."""
    elements, reason = REFUSED[name]

    with pytest.raises(SagaDefinitionError, match="saga 'odd'") as caught:
        Saga("odd", elements)

    assert reason in str(caught.value)


def test_accepts_everything_that_means_something() -> None:
    """All kinds of elements in one saga, a pivot and what may follow it."""
    saga = Saga(
        "fine",
        (
            step("a", compensation=undo),
            Parallel(name="g", steps=(step("b", compensation=undo), step("c"))),
            Wait(name="w", timeout=SECOND),
            Sleep(name="s", duration=ZERO),
            PIVOT,
            Wait(name="later", timeout=SECOND, on_timeout="continue"),
            step("d"),
        ),
    )

    assert [s.name for s in saga.steps()] == ["a", "b", "c", "pivot", "d"]
    assert saga.retry_of(saga.step("a")).maximum_attempts == 3
    assert saga.retry_of(saga.step("pivot")).maximum_attempts is None
    assert saga.retry_of(saga.step("d")).maximum_attempts is None
    assert not saga.after_pivot("pivot")
    assert saga.after_pivot("d")


def test_backoff_grows_to_its_maximum() -> None:
    """Pauses after attempts 1, 2, 3 ... and no overflow far out."""
    policy = RetryPolicy(initial_interval=SECOND, backoff_coefficient=3, maximum_interval=SECOND * 5)

    assert [policy.delay_after(n).total_seconds() for n in (1, 2, 3, 5000)] == [1, 3, 5, 5]
    assert policy.exhausted(3)
    assert not policy.exhausted(2)
