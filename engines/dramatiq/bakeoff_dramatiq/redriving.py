"""Going on with a saga that nobody goes on with: its dead letter is put back, or its message published again.

Nothing here runs by itself. An operator asks for it, and idempotency keys make repeating safe.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial

from dramatiq import Broker

from bakeoff.errors import RedriveRefusedError, UnknownNameError
from bakeoff.outcome import DeadLetter, Outcome, Status
from bakeoff.saga import Parallel, Step
from bakeoff_dramatiq.compensation import backward
from bakeoff_dramatiq.context import CAUSE, GO_BACK, OWN, Context
from bakeoff_dramatiq.escalation import begin
from bakeoff_dramatiq.letters import Letter, in_flight, letters, put_back
from bakeoff_dramatiq.pipeline import forward, in_a_row
from bakeoff_dramatiq.rows import Rows
from bakeoff_dramatiq.state import (
    CauseData,
    State,
    compensate_actor,
    finish_actor,
    step_actor,
    undo_actor,
)
from bakeoff_dramatiq.valkey_broker import ValkeyBroker

#: Dead letters that are looked through.
_LOOKED_AT = 10_000

Contexts = Mapping[str, Context]


def redrive(context: Context, workflow_id: str, step: str | None) -> str:
    """See ``bakeoff.engine.Redrives``."""
    row = context.rows.row(workflow_id)
    if "outcome" in row:
        outcome = Outcome.from_json(json.loads(row["outcome"])[1])
        if outcome.status is not Status.COMPENSATION_FAILED:
            raise RedriveRefusedError(f"{workflow_id} is {outcome.status}: there is nothing to redrive")
        chosen = _chosen(outcome, step, workflow_id)
        if not context.rows.reopen(workflow_id, row["outcome"]):
            raise RedriveRefusedError(f"{workflow_id}: somebody else redrives it at this moment")
        return _undo(context, workflow_id, row, outcome, chosen)
    if isinstance(context.broker, ValkeyBroker):
        # Twice: one may pass from the queue of delayed ones to the other while they are looked through.
        look = partial(in_flight, context.broker, context.queue, workflow_id)
        if found := look() or look():
            raise RedriveRefusedError(
                f"{workflow_id}: its message ({', '.join(found)}) is in the queue or with a worker; "
                "that of a dead worker comes back when its heartbeat is missed"
            )
    if "replaces" in row:  # an earlier redrive got no further
        outcome = Outcome.from_json(json.loads(row["replaces"])[1])
        return _undo(context, workflow_id, row, outcome, list(outcome.failed_compensations))
    mine = [
        letter
        for letter in letters(context.broker, context.queue, _LOOKED_AT)
        if letter.workflow_id == workflow_id
    ]
    if "compensating" in row:
        return _way_back(context, workflow_id, row, mine)
    if "escalating" in row:
        handed_over = _exhausted(context, row)
        theirs = [letter for letter in mine if not _is_of(context, handed_over, letter)]
        if not theirs:
            return _escalate_again(context, workflow_id, row, handed_over, mine)
        mine = theirs
    for letter in mine:
        if _was_tried(context, row, letter) or _may_have_been_tried(context, letter):
            return _begin_the_way_back(context, row, letter)
    if mine:
        for letter in mine:
            put_back(context.broker, context.queue, letter)
        return f"put its dead letter ({', '.join(_actor(letter) for letter in mine)}) back into the queue"
    context.rows.forget_that_it_passed(workflow_id, context.saga.elements)
    forward(context.broker, context.saga, _first_state(workflow_id, row)).run()
    return "published its pipeline again from the start; what has taken effect only answers again"


def _chosen(outcome: Outcome, step: str | None, workflow_id: str) -> list[str]:
    if step is None:
        return list(outcome.failed_compensations)
    if step not in outcome.failed_compensations:
        raise RedriveRefusedError(f"{workflow_id}: the compensation of {step!r} did not give up")
    return [step]


def _undo(
    context: Context, workflow_id: str, row: Mapping[str, str], before: Outcome, chosen: list[str]
) -> str:
    """Publish the undos that gave up once more, and the outcome behind them."""
    assert before.cause is not None, "a compensation has a cause"
    cause: CauseData = {
        "type": before.cause.type,
        "message": before.cause.message,
        "step": before.cause.step,
    }
    state: State = {
        **_first_state(workflow_id, row, _exhausted_before(context, row, cause["step"])),
        "results": dict(before.results),
        "cause": cause,
        "errors": [name for name in before.failed_compensations if name not in chosen],
    }
    steps = [one for one in context.saga.steps() if one.name in chosen]
    names = [*(undo_actor(context.saga, one) for one in reversed(steps)), finish_actor(context.saga)]
    in_a_row(context.broker, names, state).run()
    return f"published the undo of {', '.join(chosen)} again"


def _way_back(context: Context, workflow_id: str, row: Mapping[str, str], mine: list[Letter]) -> str:
    """Publish all undos again, from the dead letter of the step that ended the way forward if it is there."""
    saga = context.saga
    # The rank says how far the undoing reaches, see ``compensation.rank_of``.
    index, with_own = divmod(int(row["rank"]), 2)
    element = saga.elements[index]
    members = element.steps if isinstance(element, Parallel) else (element,)
    own = [step for step in members if isinstance(step, Step)] if with_own else []
    names = {step_actor(saga, step) for step in members if isinstance(step, Step)}
    last = next((letter for letter in mine if _actor(letter) in names), None)
    state = _first_state(workflow_id, row, _exhausted_before(context, row, element.name))
    cause = _lost_cause(members[0].name)
    if last is not None and last.message is not None:
        state = last.message.args[-1]
        cause = last.message.options.get(CAUSE) or cause
        backward(context.broker, saga, state, cause, own).run()
        return f"published all undos again, from the dead letter of {element.name}"
    backward(context.broker, saga, state, cause, own, lost=True).run()
    return "published all undos again; what its steps had returned is lost, so they get no result"


def _begin_the_way_back(context: Context, row: Mapping[str, str], letter: Letter) -> str:
    """Ask for compensation, as the step that was declined or exhausted did; trying it again would be wrong.

    Where that first request still lies in the queue, the saga's row lets one of the two undo.
    """
    assert letter.message is not None
    step = next(s for s in context.saga.steps() if step_actor(context.saga, s) == _actor(letter))
    options = dict(letter.message.options)
    options.setdefault(CAUSE, _lost_cause(step.name))
    options[OWN] = int(row.get(f"begun:{step.name}", 0)) > 1
    retries = options.get("retries")
    # Dramatiq's word for exhausted: then the step itself is undone as well. It may have been declined all the
    # same, so no escalation follows from it.
    details = {"retries": retries, "max_retries": retries, GO_BACK: True} if retries else {}
    actor = context.broker.get_actor(compensate_actor(context.saga))
    actor.send({**letter.message.asdict(), "options": options}, details)
    return f"asked for compensation again, by the dead letter of {step.name}"


def _exhausted(context: Context, row: Mapping[str, str]) -> Step:
    """The step that has handed over to its escalation."""
    return context.saga.step(row["escalated"])


def _exhausted_before(context: Context, row: Mapping[str, str], element: str) -> str | None:
    """Name of the step whose exhaustion brought the saga to this element, if it lies on an escalation."""
    if "escalated" not in row:
        return None
    saga, step = context.saga, _exhausted(context, row)
    return step.name if saga.index_of(element) >= saga.index_of(str(step.on_exhausted)) else None


def _escalate_again(
    context: Context, workflow_id: str, row: Mapping[str, str], step: Step, mine: list[Letter]
) -> str:
    """Begin the escalation anew, from the dead letter of the step that handed over."""
    last = next((letter for letter in mine if _is_of(context, step, letter)), None)
    if last is None or last.message is None:
        raise RedriveRefusedError(
            f"{workflow_id}: the dead letter of {step.name} is gone, and what steps before it returned"
        )
    escalation = context.saga.stretch(context.saga.index_of(str(step.on_exhausted)))
    context.rows.forget_that_it_passed(workflow_id, escalation)
    cause = last.message.options.get(CAUSE) or _lost_cause(step.name)
    begin(context, last.message.args[-1], cause, step, undone="gone_on" in row)
    return f"began the escalation of {step.name} again, from its dead letter"


def _lost_cause(step: str) -> CauseData:
    return {"type": "Unknown", "message": "the message that knew why is lost", "step": step}


def _first_state(workflow_id: str, row: Mapping[str, str], exhausted: str | None = None) -> State:
    if "input" not in row:
        raise RedriveRefusedError(
            f"{workflow_id}: its message is gone, and an earlier version that started it kept no input"
        )
    state: State = {"workflow_id": workflow_id, "input": json.loads(row["input"]), "results": {}}
    return state if exhausted is None else {**state, "exhausted": exhausted}


def judged(contexts: Contexts, rows: Rows, broker: Broker, letter: Letter) -> DeadLetter:
    """A dead letter with what became of its saga: most are the traces of steps that were compensated."""
    if letter.message is None:
        held = "; Dramatiq on Valkey does not give it up, it ends the consumer of whoever fetches it"
        reason = f"it cannot be decoded{held if letter.held else ''}"
        return DeadLetter(letter.id, reason, is_open=True, at=letter.at)
    workflow_id = letter.workflow_id
    row = rows.row(workflow_id) if workflow_id else {}
    is_open, reason, status = True, "no worker knows this actor, or nobody began with it", None
    if "outcome" in row:
        status = Status(json.loads(row["outcome"])[1]["status"])
        is_open, reason = False, "its saga has settled without it"
    elif row:
        status = Status.RUNNING
        context = contexts.get(row.get("saga", ""))
        if "compensating" in row:
            is_open, reason = False, "it was declined or exhausted, and compensation has begun"
        elif context and "escalated" in row and _is_of(context, _exhausted(context, row), letter):
            is_open, reason = False, "it was exhausted, and its escalation has begun"
        elif context and _was_tried(context, row, letter):
            is_open, reason = False, "it was declined or exhausted; its compensation is to begin"
    elif workflow_id is None:
        reason = "it is of no saga"
    return DeadLetter(letter.id, reason, is_open, letter.at, _actor(letter), workflow_id, status)


def _is_of(context: Context, step: Step, letter: Letter) -> bool:
    return _actor(letter) == step_actor(context.saga, step)


def _was_tried(context: Context, row: Mapping[str, str], letter: Letter) -> bool:
    """Whether a worker began with it; of steps that nothing undoes this is only known after a retry."""
    assert letter.message is not None
    named = {step_actor(context.saga, step): step.name for step in context.saga.steps()}
    name = named.get(letter.message.actor_name)
    return name is not None and (bool(letter.message.options.get("retries")) or f"begun:{name}" in row)


def _may_have_been_tried(context: Context, letter: Letter) -> bool:
    """Whether that cannot be told: no count of a step that nothing undoes, and no look into the queue."""
    bare = {step_actor(context.saga, step) for step in context.saga.steps() if step.compensation is None}
    return not isinstance(context.broker, ValkeyBroker) and _actor(letter) in bare


def put_letter_back(
    contexts: Contexts, rows: Rows, broker: Broker, queue: str, message_id: str
) -> DeadLetter:
    """See ``bakeoff.engine.HasDeadLetters.requeue``."""
    letter = next((one for one in letters(broker, queue, _LOOKED_AT) if one.id == message_id), None)
    if letter is None:
        raise UnknownNameError(
            f"there is no dead letter {message_id!r}; `bakeoff dead-letters --all` lists them"
        )
    verdict = judged(contexts, rows, broker, letter)
    if letter.message is None:
        raise RedriveRefusedError(
            f"{message_id} cannot be decoded: back in the queue it would only come back"
        )
    if not verdict.is_open:
        raise RedriveRefusedError(f"{message_id} of {verdict.workflow_id}: {verdict.reason}")
    row = rows.row(letter.workflow_id) if letter.workflow_id else {}
    context = contexts.get(row.get("saga", ""))
    if context is not None and _may_have_been_tried(context, letter):
        raise RedriveRefusedError(
            f"{message_id}: whether compensation is to begin RabbitMQ does not show; once nothing moves any "
            f"more, bakeoff redrive {verdict.workflow_id}"
        )
    if not put_back(broker, queue, letter):
        raise RedriveRefusedError(f"{message_id}: somebody else took it at this moment")
    return verdict


def _actor(letter: Letter) -> str:
    return letter.message.actor_name if letter.message is not None else "?"
