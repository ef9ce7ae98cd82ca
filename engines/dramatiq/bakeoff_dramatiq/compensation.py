"""The way back: one pipeline of undos in reverse, each passing the list of errors on."""

from __future__ import annotations

from collections.abc import Sequence

from dramatiq import Broker, pipeline

from bakeoff.saga import Parallel, Saga, Step
from bakeoff_dramatiq.pipeline import in_a_row
from bakeoff_dramatiq.state import CauseData, State, finish_actor, undo_actor


def steps_before(saga: Saga, name: str, exhausted: str | None = None) -> Sequence[Step]:
    """Steps of all elements before the one called ``name`` (or its group), in order: those on its way."""
    steps: list[Step] = []
    for element in saga.way_to(name, exhausted):
        if isinstance(element, Step):
            steps.append(element)
        elif isinstance(element, Parallel):
            steps.extend(element.steps)
    return steps


def rank_of(saga: Saga, step: str, *, with_own: bool) -> int:
    """How far an undoing reaches: that of a later step further, with its own undo further still."""
    return 2 * saga.index_of(step) + with_own


def backward(
    broker: Broker,
    saga: Saga,
    state: State,
    cause: CauseData,
    own: Sequence[Step] = (),
    *,
    gave_up: Sequence[str] = (),
    lost: bool = False,
) -> pipeline:
    """Build the undos of everything that succeeded before ``cause`` or, ``own``, may have had an effect.

    The last message stores the outcome. A saga without anything to undo goes there at once.

    The messages of a saga keep the route with which it began. A step that was left out, or that this worker's
    version has inserted meanwhile, has left no result in them: it was not made. Where the message is ``lost``
    nothing tells that. ``gave_up``: steps whose compensation has given up already.
    """
    before = steps_before(saga, cause["step"], state.get("exhausted"))
    done = [*(step for step in before if lost or step.name in state["results"]), *own]
    names = [undo_actor(saga, step) for step in reversed(done) if step.compensation is not None]
    undoing: State = {**state, "cause": cause, "errors": list(gave_up)}
    return in_a_row(broker, [*names, finish_actor(saga)], undoing)
