"""The sagas of the recorded event histories. Changing them breaks the recordings, not the workflow code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from bakeoff.saga import JSON, Call, Parallel, RetryPolicy, Saga, Sleep, Step, Wait

_RETRY = RetryPolicy(initial_interval=timedelta(milliseconds=20), maximum_attempts=3)
_SECOND = timedelta(seconds=1)


def act(call: Call) -> JSON:
    return {"step": call.step}


def undo(call: Call) -> JSON:
    return {"step": call.step}


def _step(name: str, *, undoable: bool = True, pivot: bool = False, retry: RetryPolicy = _RETRY) -> Step:
    return Step(
        name=name,
        action=act,
        compensation=undo if undoable else None,
        retry=retry,
        compensation_retry=_RETRY,
        timeout=_SECOND,
        compensation_timeout=_SECOND,
        pivot=pivot,
    )


STEPS = Saga("replay-steps", (_step("one"), _step("two"), _step("three"), _step("last", undoable=False)))
PIVOT = Saga("replay-pivot", (_step("one"), _step("two", pivot=True), _step("last", undoable=False)))
GROUP = Saga("replay-group", (_step("one"), Parallel(name="both", steps=(_step("left"), _step("right")))))
WAIT = Saga("replay-wait", (_step("one"), Wait(name="word"), _step("last", undoable=False)))
WAIT_TIMEOUT = Saga("replay-wait-timeout", (_step("one"), Wait(name="word", timeout=_SECOND), _step("last")))
SLEEP = Saga("replay-sleep", (_step("one"), Sleep(name="nap", duration=_SECOND), _step("last")))


def _never(input: JSON, results: Mapping[str, JSON]) -> bool:
    return False


BRANCHES = Saga(
    "replay-branches",
    (
        _step("one"),
        replace(_step("two"), when=lambda input, results: input["two"]),
        Wait(name="word", when=lambda input, results: "two" in results),
        Parallel(
            name="both", steps=(replace(_step("left"), when=lambda input, results: False), _step("right"))
        ),
        _step("last", undoable=False),
    ),
)
ESCALATION = Saga(
    "replay-escalation",
    (
        _step("one"),
        replace(_step("two"), on_exhausted="rescue"),
        Wait(name="word"),
        _step("rescue"),
        _step("last", undoable=False),
    ),
)
#: After its first failure nothing happens for ten minutes, unless somebody hurries it.
PATIENT = Saga(
    "replay-patient",
    (
        _step(
            "one",
            retry=RetryPolicy(initial_interval=timedelta(minutes=10), maximum_interval=timedelta(minutes=10)),
        ),
        _step("last"),
    ),
)
