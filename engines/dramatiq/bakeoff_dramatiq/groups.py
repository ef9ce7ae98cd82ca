"""``Parallel`` as a Dramatiq group: members return their failure, the completion callback decides.

A member that raised for good would keep the group's barrier up for ever (Bogdanp/dramatiq#868), so no member
ever fails in Dramatiq's eyes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NotRequired, TypedDict

from dramatiq import Message, group
from dramatiq.errors import Retry
from dramatiq.results import ResultMissing

from bakeoff.errors import BusinessError, ConditionError
from bakeoff.saga import JSON, Parallel, Step
from bakeoff_dramatiq.context import (
    CAUSE,
    FAULTS,
    TIRELESS,
    Context,
    attempt_options,
    cause_of,
    current_message,
)
from bakeoff_dramatiq.pipeline import forward
from bakeoff_dramatiq.state import CauseData, State, joined_actor, step_actor

#: The callback came before a member's result: a redelivered member was counted twice (milliseconds).
AGAIN_MS = 100


class Answer(TypedDict):
    """What a member returns: its ``result``, or why it failed and whether it may have had an effect.

    Neither if it was left out.
    """

    result: NotRequired[JSON]
    cause: NotRequired[CauseData]
    own: NotRequired[bool]


def declare_group(context: Context, element: Parallel) -> None:
    """Declare the actor that starts the group, its members, and the one that decides."""
    context.declare(step_actor(context.saga, element), _start(context, element), **TIRELESS)
    context.declare(joined_actor(context.saga, element), _joined(context, element), **TIRELESS)
    for step in element.steps:
        context.declare(
            step_actor(context.saga, step),
            _member(context, step),
            max_retries=None,
            store_results=True,
            **attempt_options(context.saga, step),
        )


def _start(context: Context, element: Parallel) -> Callable[[State], None]:
    def start(state: State) -> None:
        actors = [context.broker.get_actor(step_actor(context.saga, step)) for step in element.steps]
        members = [actor.message(state) for actor in actors]
        callback = context.broker.get_actor(joined_actor(context.saga, element))
        together = group(members, broker=context.broker)
        together.add_completion_callback(callback.message([member.message_id for member in members], state))
        together.run()

    return start


def _member(context: Context, step: Step) -> Callable[[State], Answer]:
    def member(state: State) -> Answer:
        try:
            if not context.is_due(step, state):
                return {}
            return {"result": context.perform(step, "action", state)}
        except BusinessError as error:
            return {"cause": cause_of(error, step), "own": context.maybe_happened(step, state)}
        except ConditionError as error:
            return {"cause": cause_of(error, step), "own": False}
        except FAULTS as error:
            cause = cause_of(error, step)
            current_message().options[CAUSE] = cause
            if retry := context.again(step, "action", error):
                raise retry from error
            return {"cause": cause, "own": True}

    return member


def _joined(context: Context, element: Parallel) -> Callable[[list[str], State], None]:
    def joined(message_ids: list[str], state: State) -> None:
        answers = _answers(context, element, message_ids)
        failures = [answer["cause"] for answer in answers.values() if "cause" in answer]
        results = {name: answer["result"] for name, answer in answers.items() if "result" in answer}
        state = {**state, "results": {**state["results"], **results}}
        if not failures:
            _, *rest = context.saga.stretch(context.saga.index_of(element.name))
            forward(context.broker, context.saga, state, rest).run()
            return
        own = [step for step in element.steps if answers[step.name].get("own", step.name in results)]
        context.undo(state, failures[0], own)

    return joined


def _answers(context: Context, element: Parallel, message_ids: list[str]) -> dict[str, Answer]:
    """Collect ``{step: answer}``; ask for another call where one is missing."""
    backend = context.broker.get_results_backend()
    answers: dict[str, Answer] = {}
    for step, message_id in zip(element.steps, message_ids, strict=True):
        message: Message[Any] = Message(
            queue_name=context.queue,
            actor_name=step_actor(context.saga, step),
            args=(),
            kwargs={},
            options={},
            message_id=message_id,
        )
        try:
            answers[step.name] = backend.get_result(message)
        except ResultMissing:
            raise Retry(f"{step.name} has not settled", delay=AGAIN_MS) from None
    return answers
