"""The answers that sagas get at once: where nobody is to be late, to reject, or to be silent."""

from __future__ import annotations

from bakeoff.expectation import Facts
from bakeoff.saga import JSON, Saga, Wait
from bakeoff_scenarios.beside import told_beside

#: Fits every wait of ours, whoever answers.
ANSWER: JSON = {"approved": True, "decision": "approve", "by": "bakeoff"}


def answered_waits(saga: Saga) -> list[str]:
    """Names of the waits that end with an answer: of several for one signal the first."""
    waits = [element for element in saga.elements if isinstance(element, Wait)]
    first = {wait.signal_name: wait.name for wait in reversed(waits)}
    return [wait.name for wait in waits if first[wait.signal_name] == wait.name]


def conditional(saga: Saga) -> bool:
    """Whether anything of it depends on a condition, and so perhaps on its input."""
    waits = (element.when for element in saga.elements if isinstance(element, Wait))
    return any(when is not None for when in (*(step.when for step in saga.steps()), *waits))


def prompt_facts(saga: Saga, input: JSON = None) -> Facts:
    """What is known of a saga that gets its answers at once.

    ``facts(input)`` beside the user's own saga says whether conditions hold that read what steps return.
    """
    names = answered_waits(saga)
    told = told_beside(saga, input)
    return Facts(
        signals=frozenset(names),
        input=input,
        payloads=dict.fromkeys(names, ANSWER),
        skips=frozenset(told.get("skips", ())),
        holds=frozenset(told.get("holds", ())),
    )
