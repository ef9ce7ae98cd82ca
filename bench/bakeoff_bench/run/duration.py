"""How long a planned saga takes: for the announcement, and for the patience with it."""

from __future__ import annotations

from collections.abc import Sequence

from bakeoff.checkers import Planned
from bakeoff.expectation import Expectation
from bakeoff.saga import Saga, Sleep, Wait

#: Rough seconds: bringing a stack up, a saga's share of two cores, a saga by itself; by ``in_process``.
_START_S = {True: 0.5, False: 3.0}
_SHARE_S = {True: 0.012, False: 0.05}
_LATENCY_S = {True: 0.03, False: 0.3}

#: Seconds on top of what the plan itself takes, before a saga counts as stuck.
PATIENCE_S = 60.0


def patience_s(saga: Saga, planned: Planned) -> float:
    """Seconds after its start by which a saga must be settled: far more than the plan can take."""
    ends = (planned.expected, *planned.alternatives)
    return PATIENCE_S + max(2 * waits_s(saga, end) + _timeouts_s(saga, end) for end in ends)


def waits_s(saga: Saga, expected: Expectation) -> float:
    """Seconds of retry pauses, timers and timed-out waits in the plan of one saga."""
    seconds = 0.0
    for (name, direction), attempts in expected.attempts.items():
        step = saga.step(name)
        policy = saga.retry_of(step) if direction == "action" else step.compensation_retry
        seconds += sum(policy.delay_after(attempt).total_seconds() for attempt in range(1, attempts))
    for element in saga.elements:
        if isinstance(element, Sleep):
            seconds += element.duration.total_seconds()
        elif isinstance(element, Wait) and ("WaitTimeout", element.name) in expected.causes:
            seconds += element.timeout.total_seconds() if element.timeout else 0.0
    return seconds


def _timeouts_s(saga: Saga, expected: Expectation) -> float:
    """Seconds if every attempt of a faulted call ran into its timeout, and every wait into its own."""
    seconds = 0.0
    for (name, direction), attempts in expected.attempts.items():
        if (name, direction) in expected.faulted:
            seconds += attempts * saga.timeout_of(saga.step(name), direction).total_seconds()
    for element in saga.elements:
        if isinstance(element, Wait) and element.timeout is not None:
            seconds += element.timeout.total_seconds()
    return seconds


def block_seconds(
    saga: Saga, planned: Sequence[Planned], *, in_process: bool, concurrency: int, rounds: int
) -> float:
    """Rough seconds of all blocks of one engine, its start included."""
    waits = [waits_s(saga, one.expected) for one in planned]
    working = len(planned) * _SHARE_S[in_process]
    waiting = sum(wait + _LATENCY_S[in_process] for wait in waits) / concurrency
    tails = rounds * max(waits, default=0.0) / 2
    return _START_S[in_process] + max(working, waiting) + tails
