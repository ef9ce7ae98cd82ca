"""The actors of one saga: one per step and one per compensation, named as in the saga.

An actor runs one attempt and hands the state to whoever is next in its pipeline. It retries by raising
``Retry`` with the pause of the step's own policy, because Dramatiq's own backoff is always doubled and
jittered. A decline is in ``throws`` and names its callback itself, so that ``on_failure`` does not fire at
every fault as well; faults end in ``on_retry_exhausted``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dramatiq.middleware import SkipMessage

from bakeoff.errors import BusinessError, ConditionError
from bakeoff.outcome import Cause, Outcome, Status
from bakeoff.saga import Element, Parallel, Saga, Sleep, Step, Wait
from bakeoff_dramatiq.context import (
    CAUSE,
    FAULTS,
    GO_BACK,
    OWN,
    TIRELESS,
    Context,
    attempt_options,
    cause_of,
    current_message,
    timeout_cause,
)
from bakeoff_dramatiq.escalation import declare_escalation, hand_over
from bakeoff_dramatiq.groups import declare_group
from bakeoff_dramatiq.state import (
    CauseData,
    State,
    compensate_actor,
    finish_actor,
    step_actor,
    undo_actor,
    with_result,
)
from bakeoff_dramatiq.waits import declare_wait

#: What ends a step without a retry.
_FINAL = (BusinessError, ConditionError)


def declare_saga(context: Context) -> None:
    """Declare every actor of the saga on the broker; the same in workers and clients."""
    saga = context.saga
    for element in saga.elements:
        match element:
            case Step():
                _declare_step(context, element)
            case Parallel():
                declare_group(context, element)
            case Wait():
                declare_wait(context, element)
    for step in saga.steps():
        if step.compensation is not None:
            # It settles by itself when it gives up, so Dramatiq must not count.
            options = attempt_options(saga, step, "compensation")
            context.declare(undo_actor(saga, step), _undo(context, step), max_retries=None, **options)
    context.declare(compensate_actor(saga), _compensate(context), **TIRELESS)
    declare_escalation(context)
    context.declare(finish_actor(saga), _finish(context), **TIRELESS)


def _declare_step(context: Context, step: Step) -> None:
    attempts = context.saga.retry_of(step).maximum_attempts
    context.declare(
        step_actor(context.saga, step),
        _act(context, step),
        throws=_FINAL,
        on_retry_exhausted=compensate_actor(context.saga),
        max_retries=None if attempts is None else attempts - 1,
        **attempt_options(context.saga, step),
    )


def _act(context: Context, step: Step) -> Callable[[State], State]:
    def act(state: State) -> State:
        try:
            if not context.is_due(step, state):
                _close_escalations(context, step, state)
                return state
            result = context.perform(step, "action", state)
            goes_on = step.on_exhausted is None or context.rows.may_pass(state["workflow_id"], step.name)
        except _FINAL as error:
            options = current_message().options
            options[CAUSE] = cause_of(error, step)
            options[OWN] = isinstance(error, BusinessError) and context.maybe_happened(step, state)
            options["on_failure"] = compensate_actor(context.saga)
            raise
        except FAULTS as error:
            current_message().options[CAUSE] = cause_of(error, step)
            if retry := context.again(step, "action", error):
                raise retry from error
            raise
        if not goes_on:
            raise SkipMessage(
                f"a copy of {step.name} was exhausted, and the saga goes on with its escalation"
            )
        _close_escalations(context, step, state)
        return with_result(state, step.name, result)

    return act


def _close_escalations(context: Context, step: Step, state: State) -> None:
    """Let no wait of an escalation take a signal to which this step would have been the last to lead."""
    if step.on_exhausted is not None:
        context.rows.leave_out(state["workflow_id"], context.saga.out_of_reach(step))


def _undo(context: Context, step: Step) -> Callable[[State], State]:
    def undo(state: State) -> State:
        try:
            context.perform(step, "compensation", state)
        except FAULTS as error:
            current_message().options[CAUSE] = cause_of(error, step, "compensation")
            if retry := context.again(step, "compensation", error):
                raise retry from error
            # One that gives up must not stop the others (S4).
            return {**state, "errors": [*state["errors"], step.name]}
        return state

    return undo


def _compensate(context: Context) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    """Answer both hooks of Dramatiq: ``on_failure`` of a decline and ``on_retry_exhausted`` of a fault."""

    def compensate(message: dict[str, Any], details: dict[str, Any]) -> None:
        state: State = message["args"][-1]
        options = message["options"]
        # Without a cause its time limit struck after the actor had returned.
        cause: CauseData = options.get(CAUSE) or timeout_cause(_step_of(context.saga, message))
        exhausted, step = "max_retries" in details, context.saga.step(cause["step"])
        if exhausted and step.on_exhausted is not None and not details.get(GO_BACK):
            hand_over(context, state, cause, step)
            return
        own = [step] if exhausted or options.get(OWN) else []
        context.undo(state, cause, own)

    return compensate


def _step_of(saga: Saga, message: dict[str, Any]) -> Step:
    return next(step for step in saga.steps() if step_actor(saga, step) == message["actor_name"])


def _finish(context: Context) -> Callable[[State], None]:
    def finish(state: State) -> None:
        context.rows.settle(context.saga, state["workflow_id"], outcome_of(context.saga, state))

    return finish


def outcome_of(saga: Saga, state: State) -> Outcome:
    """The terminal word about a saga whose last message has arrived."""
    # A timer is no actor here, so nobody has noted that it elapsed.
    slept = {element.name: None for element in _way(saga, state) if isinstance(element, Sleep)}
    results = {**slept, **state["results"]}
    if "cause" not in state:
        return Outcome(Status.COMPLETED, results)
    errors = tuple(state["errors"])
    status = Status.COMPENSATION_FAILED if errors else Status.COMPENSATED
    return Outcome(status, results, Cause(**state["cause"]), errors)


def _way(saga: Saga, state: State) -> Sequence[Element]:
    """The elements that lie behind a saga that is over."""
    exhausted = state.get("exhausted")
    if "cause" in state:
        return saga.way_to(state["cause"]["step"], exhausted)
    if exhausted is None:
        return saga.stretch(0)
    escalation = saga.stretch(saga.index_of(str(saga.step(exhausted).on_exhausted)))
    return (*saga.way_to(exhausted), *escalation)
