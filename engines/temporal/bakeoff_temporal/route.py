"""The route of a saga in flight: it ends on the one that it began on, whatever its definition is by then.

A workflow is replayed on the code of today. One that took another way yesterday would not replay, and would
wait for ever (``NondeterminismError``). Temporal's answer for workflow *code* is ``patched`` or a pinned
worker version; for a workflow that follows a *definition* it is to hand the definition over with the start,
as its samples for such workflows do. The names are enough: the worker knows what they mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from bakeoff.saga import Element, Saga, Step

#: Key of the memo that is given with the start and never changes.
ROUTE: Final = "route"


def route_of(saga: Saga) -> list[str]:
    """The names of the elements, in order."""
    return [element.name for element in saga.elements]


def on_route(saga: Saga, route: Sequence[str] | None) -> Saga:
    """Return the saga with the elements of the route alone; ``None``: nobody said, so all of them.

    Raises:
        KeyError: If this worker does not know one of them: the saga waits for a worker that does.
    """
    if route is None or list(route) == route_of(saga):
        return saga
    known = {element.name: element for element in saga.elements}
    return replace(saga, elements=tuple(_as_on(route, known[name]) for name in route))


def _as_on(route: Sequence[str], element: Element) -> Element:
    """Without an escalation of which the route knows nothing: the saga began before there was one."""
    if isinstance(element, Step) and element.on_exhausted is not None and element.on_exhausted not in route:
        return replace(element, on_exhausted=None)
    return element
