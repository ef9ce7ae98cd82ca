"""``Wait`` as two pipelines: the first one ends at the wait, the signal publishes the second.

The state is parked in the one row of the signal. Signal and timeout (a delayed message) both try to decide
that row, and only one can.
"""

from __future__ import annotations

from collections.abc import Callable

from bakeoff.errors import ConditionError
from bakeoff.saga import Wait
from bakeoff.telemetry import carried, carrying
from bakeoff_dramatiq.context import TIRELESS, Context, cause_of
from bakeoff_dramatiq.pipeline import forward, milliseconds
from bakeoff_dramatiq.state import CauseData, State, step_actor, timeout_actor, with_result


def declare_wait(context: Context, wait: Wait) -> None:
    """Declare the actor that parks the saga and, if the wait has a timeout, the one that ends it."""
    context.declare(step_actor(context.saga, wait), _arrive(context, wait), **TIRELESS)
    if wait.timeout is not None:
        context.declare(timeout_actor(context.saga, wait), _expire(context, wait), **TIRELESS)


def go_on(context: Context, wait: Wait, state: State, payload: object) -> None:
    """Publish the second pipeline; the payload is the result of the wait."""
    headers = state.pop("headers", None)
    with carrying(carried() if headers is None else headers):
        _behind(context, wait, with_result(state, wait.name, payload))


def _behind(context: Context, wait: Wait, state: State) -> None:
    _, *rest = context.saga.stretch(context.saga.index_of(wait.name))
    forward(context.broker, context.saga, state, rest).run()


def _arrive(context: Context, wait: Wait) -> Callable[[State], None]:
    def arrive(state: State) -> None:
        try:
            is_due = context.is_due(wait, state)
        except ConditionError as error:
            context.undo(state, cause_of(error, wait), ())
            return
        if not is_due:
            context.rows.leave_out(state["workflow_id"], (wait,))
            _behind(context, wait, state)
            return
        headers = carried()
        parked: State = state if headers is None else {**state, "headers": dict(headers)}
        word, payload = context.rows.arrive(wait, parked)
        if word == "go":
            go_on(context, wait, state, payload)
            context.rows.published(context.rows.signal_key(state["workflow_id"], wait.name))
        elif word == "waiting" and wait.timeout is not None:
            actor = context.broker.get_actor(timeout_actor(context.saga, wait))
            actor.send_with_options(args=(state["workflow_id"],), delay=milliseconds(wait.timeout))

    return arrive


def _expire(context: Context, wait: Wait) -> Callable[[str], None]:
    def expire(workflow_id: str) -> None:
        state = context.rows.expire(wait, workflow_id)
        if state is None:
            return
        state.pop("headers", None)  # the message of the timeout has them
        if wait.on_timeout == "continue":
            go_on(context, wait, state, None)
        else:
            seconds = wait.timeout.total_seconds() if wait.timeout else 0.0
            text = f"no signal {wait.name!r} within {seconds:g} s"
            cause: CauseData = {"type": "WaitTimeout", "message": text, "step": wait.name}
            context.undo(state, cause, ())
        context.rows.published(context.rows.signal_key(workflow_id, wait.name))

    return expire
