"""The route of a saga in flight: it ends on the one that it began on, whatever its definition is by then.

A workflow is replayed on the code of today. One that took another way yesterday would not replay, and would
wait for ever (``NondeterminismError``). Temporal's answer for workflow *code* is ``patched`` or a pinned
worker version; for a workflow that follows a *definition* it is to hand the definition over with the start,
as its samples for such workflows do. The names are enough, and who hands over to whom: the worker knows what
they mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from bakeoff.saga import Element, Saga, Step

#: Keys of the memos that are given with the start and never change.
ROUTE: Final = "route"
ESCALATIONS: Final = "escalations"


def memo_of(saga: Saga) -> dict[str, object]:
    """What a start hands over."""
    return {ROUTE: route_of(saga), ESCALATIONS: escalations_of(saga)}


def route_of(saga: Saga) -> list[str]:
    """The names of the elements, in order."""
    return [element.name for element in saga.elements]


def escalations_of(saga: Saga) -> dict[str, str]:
    """``{step: the step at which the saga goes on when that one is exhausted}``."""
    return {step.name: step.on_exhausted for step in saga.steps() if step.on_exhausted is not None}


def on_route(saga: Saga, route: Sequence[str] | None, escalations: Mapping[str, str] | None = None) -> Saga:
    """Return the saga with the elements of the route alone, and with these escalations.

    ``None``: nobody said, so all elements, and of the escalations those that lie on the route.

    Raises:
        KeyError: If this worker does not know one of them: the saga waits for a worker that does.
    """
    if route is None:
        return saga
    if escalations is None:
        # It was started by a version that did not hand them over.
        escalations = {step: target for step, target in escalations_of(saga).items() if target in route}
    if list(route) == route_of(saga) and dict(escalations) == escalations_of(saga):
        return saga
    known = {element.name: element for element in saga.elements}
    return replace(saga, elements=tuple(_as_on(escalations, known[name]) for name in route))


def _as_on(escalations: Mapping[str, str], element: Element) -> Element:
    if isinstance(element, Step):
        return replace(element, on_exhausted=escalations.get(element.name))
    return element
