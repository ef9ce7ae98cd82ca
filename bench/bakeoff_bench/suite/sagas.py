"""Sagas that differ in one thing each; workers load them as ``bakeoff_bench.suite.sagas``.

Where the engine is to be priced, only the first and the last step enter the ledger: the results prove the
others. Where something is undone, every call is in the ledger, because no result tells of a compensation.
"""

from __future__ import annotations

from datetime import timedelta
from functools import cache

from bakeoff.saga import JSON, Action, Call, Parallel, Saga, Step, Wait

#: Long enough for a busy machine: a step that is tried again would be measured, too.
_TIMEOUT = timedelta(seconds=10)


def count(call: Call) -> JSON:
    """Return the number of steps before this one, which nobody knows who did not run them."""
    return len(call.results)


@cache
def _undo(name: str) -> Action:
    """One and the same for every saga with such a step: behind a bridge it is a command."""

    def undo(call: Call) -> JSON:
        return call.own_result

    undo.__name__ = undo.__qualname__ = f"undo_{name}"
    return undo


def _unrecorded(name: str) -> Step:
    return Step(name=name, action=count, timeout=_TIMEOUT, recorded=False)


def _once(name: str) -> Step:
    return Step(name=name, action=count, timeout=_TIMEOUT, recorded="once")


def _steps(number: int) -> Saga:
    names = [f"step_{n:02}" for n in range(1, number + 1)]
    ends = {names[0], names[-1]}
    return Saga(f"steps-{number}", tuple((_once if name in ends else _unrecorded)(name) for name in names))


def _undone(number: int) -> Saga:
    """``number`` steps, and a last one whose decline has them undone."""
    names = [f"step_{n:02}" for n in range(1, number + 1)]
    done = [
        Step(
            name=name,
            action=count,
            compensation=_undo(name),
            timeout=_TIMEOUT,
            compensation_timeout=_TIMEOUT,
        )
        for name in names
    ]
    return Saga(f"undone-{number}", (*done, Step(name=REFUSED, action=count, timeout=_TIMEOUT)))


#: The step that is declined.
REFUSED = "refused"

STEPS_1, STEPS_4, STEPS_16 = _steps(1), _steps(4), _steps(16)
UNDONE_1, UNDONE_4, UNDONE_16 = _undone(1), _undone(4), _undone(16)

#: As many steps as ``STEPS_4`` and ``STEPS_1`` together need, the four in the middle at once.
GROUP = Saga(
    "group",
    (
        _once("before"),
        Parallel(name="at_once", steps=tuple(_unrecorded(f"member_{n}") for n in range(1, 5))),
        _once("after"),
    ),
)

#: The name of the signal, and of the wait.
GO = "go"
SIGNALLED = Saga("signalled", (_once("before"), Wait(name=GO), _once("after")))

#: Nothing but an engine: no ledger, no service.
NOTHING = Saga("nothing", (_unrecorded("only"),))

BY_STEPS = {1: STEPS_1, 4: STEPS_4, 16: STEPS_16}
BY_UNDONE = {1: UNDONE_1, 4: UNDONE_4, 16: UNDONE_16}
