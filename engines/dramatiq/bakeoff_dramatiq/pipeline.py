"""The forward direction: Dramatiq pipelines with the results so far in the message.

One pipeline reaches to the end of the saga, or to the next group or wait: those start the following one
themselves, because only then it is known whether there is one. The message in flight decides what is next.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from dramatiq import Broker, Message, pipeline

from bakeoff.saga import Element, Parallel, Saga, Sleep, Step, Wait
from bakeoff_dramatiq.state import State, finish_actor, step_actor


def forward(broker: Broker, saga: Saga, state: State, elements: Sequence[Element] | None = None) -> pipeline:
    """Build the pipeline of ``elements``; ``run()`` publishes its first message.

    They reach to the end of a stretch of the saga, and are all of the ordinary way unless told otherwise. A
    ``Sleep`` is the delay of the message that follows it: Dramatiq has timers, so it needs no actor.
    """
    messages: list[Message[Any]] = []
    delay = timedelta(0)

    def add(actor_name: str) -> None:
        nonlocal delay
        options: dict[str, Any] = {"delay": milliseconds(delay)} if delay else {}
        messages.append(broker.get_actor(actor_name).message_with_options(**options))
        delay = timedelta(0)

    for element in saga.stretch(0) if elements is None else elements:
        match element:
            case Sleep():
                delay += element.duration
            case Step():
                add(step_actor(saga, element))
            case Parallel() | Wait():
                add(step_actor(saga, element))
                break
    else:
        add(finish_actor(saga))
    messages[0] = messages[0].copy(args=(state,))
    return pipeline(messages, broker=broker)


def in_a_row(broker: Broker, actor_names: Sequence[str], state: State) -> pipeline:
    """Build the pipeline of these actors, the first of which is given the state."""
    messages: list[Message[Any]] = [broker.get_actor(name).message() for name in actor_names]
    messages[0] = messages[0].copy(args=(state,))
    return pipeline(messages, broker=broker)


def milliseconds(duration: timedelta) -> int:
    """Dramatiq counts milliseconds; rounded up, so that nothing acts too early."""
    return -(-duration // timedelta(milliseconds=1))
