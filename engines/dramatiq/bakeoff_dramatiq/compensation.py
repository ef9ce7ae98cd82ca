"""The way back: one pipeline of undos in reverse, each passing the list of errors on."""

from __future__ import annotations

from collections.abc import Sequence

from dramatiq import Broker, pipeline

from bakeoff.saga import Parallel, Saga, Step
from bakeoff_dramatiq.state import CauseData, State, finish_actor, undo_actor


def steps_before(saga: Saga, name: str) -> Sequence[Step]:
    """Steps of all elements before the one called ``name`` (or its group), in order: they succeeded."""
    steps: list[Step] = []
    for element in saga.elements[: saga.index_of(name)]:
        if isinstance(element, Step):
            steps.append(element)
        elif isinstance(element, Parallel):
            steps.extend(element.steps)
    return steps


def rank_of(saga: Saga, cause: CauseData, own: Sequence[Step]) -> int:
    """How far an undoing reaches: that of a later step further, with its own undo further still."""
    return 2 * saga.index_of(cause["step"]) + bool(own)


def backward(
    broker: Broker, saga: Saga, state: State, cause: CauseData, own: Sequence[Step] = ()
) -> pipeline:
    """Build the undos of everything that succeeded before ``cause`` or, ``own``, may have had an effect.

    The last message stores the outcome. A saga without anything to undo goes there at once.

    The messages of a saga keep the route with which it began. A step that this worker's version has inserted
    meanwhile has left no result in them: it was not made. Where the message is lost, nothing tells that.
    """
    results = state["results"]
    made = [step for step in steps_before(saga, cause["step"]) if step.name in results or not results]
    done = [*made, *own]
    names = [undo_actor(saga, step) for step in reversed(done) if step.compensation is not None]
    messages = [broker.get_actor(name).message() for name in [*names, finish_actor(saga)]]
    undoing: State = {**state, "cause": cause, "errors": []}
    messages[0] = messages[0].copy(args=(undoing,))
    return pipeline(messages, broker=broker)
