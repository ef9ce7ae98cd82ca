"""Which way a saga has taken, read from its log: no entry says where a saga is, they all do."""

from __future__ import annotations

from collections.abc import Sequence

from bakeoff.saga import Element, Parallel, Saga, Step
from bakeoff_celery.sagalog.record import Entry, Record, State


def members_of(element: Element) -> Sequence[Element]:
    """What the log holds instead of a group: its members."""
    return element.steps if isinstance(element, Parallel) else (element,)


def entries_of(record: Record, element: Element) -> list[Entry]:
    """What the log holds of an element on the way forward."""
    return [entry for member in members_of(element) if (entry := record.action(member.name))]


def furthest(saga: Saga, record: Record) -> Element | None:
    """The last element that has begun; escalations stand behind the ordinary way."""
    return next((element for element in reversed(saga.elements) if entries_of(record, element)), None)


def exhausted_step(saga: Saga, record: Record) -> Step | None:
    """The step that has handed over to its escalation, or is about to."""
    for step in saga.steps():
        entry = record.action(step.name) if step.on_exhausted is not None else None
        if entry is not None and entry.state is State.EXHAUSTED:
            return step
    return None


def is_left_out(saga: Saga, record: Record, name: str) -> bool:
    """Whether the saga has passed this element, which has not begun, or has taken another way."""
    if (exhausted := exhausted_step(saga, record)) is not None:
        return _holds(saga.left_behind(exhausted), name) or _is_before(saga, name, furthest(saga, record))
    last = furthest(saga, record)
    if _is_before(saga, name, last):
        return True
    passed = [step for step in saga.steps() if step.on_exhausted and _is_over(saga, record, step, last)]
    return bool(passed) and _holds(saga.out_of_reach(passed[-1]), name)


def _holds(elements: Sequence[Element], name: str) -> bool:
    return any(element.name == name for element in elements)


def _is_before(saga: Saga, name: str, last: Element | None) -> bool:
    return last is not None and saga.index_of(name) < saga.index_of(last.name)


def _is_over(saga: Saga, record: Record, step: Step, last: Element | None) -> bool:
    entry = record.action(step.name)
    return (entry is not None and entry.state is State.DONE) or _is_before(saga, step.name, last)
