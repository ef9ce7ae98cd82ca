"""The way on from an exhausted step: a pipeline of its own undo and an actor that begins the escalation.

The state says from then on which step was exhausted, so that nobody who fails later undoes it again. The row
of the start knows it, too: a copy of that step, delivered twice, must neither escalate nor turn back beside.
"""

from __future__ import annotations

from collections.abc import Callable

from bakeoff.saga import Step
from bakeoff_dramatiq.context import TIRELESS, Context, current_message
from bakeoff_dramatiq.pipeline import forward, in_a_row
from bakeoff_dramatiq.state import CauseData, State, escalate_actor, undo_actor


def declare_escalation(context: Context) -> None:
    """Declare the actor that goes on, if any step of the saga has an escalation."""
    if context.saga.escalations():
        context.declare(escalate_actor(context.saga), _escalate(context), **TIRELESS)


def hand_over(context: Context, state: State, cause: CauseData, step: Step) -> None:
    """Publish what follows from an exhausted step, unless another message of it has done so already."""
    match context.rows.escalate(state["workflow_id"], current_message().message_id, step.name):
        case "go":
            context.rows.leave_out(state["workflow_id"], context.saga.left_behind(step))
            begin(context, state, cause, step)
        case "passed":
            # Nobody knows whether the copy that has succeeded also told the next one.
            rest = context.saga.stretch(context.saga.index_of(step.name))
            forward(context.broker, context.saga, state, rest).run()


def begin(context: Context, state: State, cause: CauseData, step: Step, *, undone: bool = False) -> None:
    """Publish the undo of the exhausted step, unless that is over, and the actor behind it."""
    names = [] if undone or step.compensation is None else [undo_actor(context.saga, step)]
    undoing: State = {**state, "exhausted": step.name, "cause": cause, "errors": []}
    in_a_row(context.broker, [*names, escalate_actor(context.saga)], undoing).run()


def _escalate(context: Context) -> Callable[[State], None]:
    saga = context.saga

    def escalate(undone: State) -> None:
        step = saga.step(undone["exhausted"])
        workflow_id, results = undone["workflow_id"], undone["results"]
        state: State = {"workflow_id": workflow_id, "input": undone["input"], "results": results}
        if undone["errors"]:
            # Nobody knows whether the step has acted: nothing is built on that.
            context.undo(state, undone["cause"], (), gave_up=undone["errors"])
            return
        if context.rows.go_on(workflow_id):
            start = saga.index_of(str(step.on_exhausted))
            state["exhausted"] = step.name
            forward(context.broker, saga, state, saga.stretch(start)).run()

    return escalate
