"""Cancelled orders: a cancel that surely comes in time, or a refusal where an engine cannot cancel.

Every step of such an order takes a quarter of its timeout, and the cancel is sent when the first attempt of
the first step is in the ledger. So it almost always arrives during the first step; on a machine that is busy
with something else it may arrive a step later, which is just as right (S9). All these ends are compensated:
the expected number stays exact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from bakeoff.expectation import Expectation, Facts, FatePlan
from bakeoff.outcome import Status
from bakeoff.saga import Element, Parallel, Saga, Step, Wait
from bakeoff.world import Fate

Predict = Callable[[Mapping[str, FatePlan], Facts], Expectation]


def can_be_cancelled(saga: Saga) -> bool:
    """Whether a cancel during the first element has an effect that the ledger shows (S9)."""
    return len(saga.elements) > 1 and bool(members(saga.elements[0])) and saga.pivot_index() != 0


def unhurried(saga: Saga) -> dict[str, Fate]:
    """The first attempt of every step takes a quarter of its timeout."""
    return {
        f"{step.name}:action": {"first": [f"slow:{step.timeout.total_seconds() / 4}"]}
        for step in saga.steps()
    }


def refused(saga: Saga) -> dict[str, Fate]:
    """The first step declines the order."""
    return {f"{next(saga.steps()).name}:action": {"then": "decline"}}


def ends(saga: Saga, predict: Predict) -> tuple[Expectation, tuple[Expectation, ...]]:
    """The end if the cancel comes during the first element, and those if it comes later but in time."""
    first, *later = _cancelled_ends(saga, predict)
    return first, tuple(later)


def _cancelled_ends(saga: Saga, predict: Predict) -> Iterator[Expectation]:
    fates = unhurried(saga)
    for element in saga.elements:
        end = predict(fates, Facts(cancelled_during=element.name))
        if end.status is Status.COMPENSATED and end.causes == {("Cancelled", "")}:
            yield end
        if isinstance(element, Wait):
            return  # nobody signals a cancelled order: it gets no further


def members(element: Element) -> tuple[Step, ...]:
    """The steps that an element starts at once; none for a wait or a timer."""
    if isinstance(element, Parallel):
        return element.steps
    return (element,) if isinstance(element, Step) else ()
