"""The answers that sagas get at once: where nobody is to be late, to reject, or to be silent."""

from __future__ import annotations

from bakeoff.expectation import Facts
from bakeoff.saga import JSON, Saga, Wait
from bakeoff_scenarios.beside import has_facts, told_beside

#: Fits every wait of ours, whoever answers.
ANSWER: JSON = {"approved": True, "decision": "approve", "by": "bakeoff"}


def answered_waits(saga: Saga) -> list[str]:
    """Names of the waits that end with an answer: of several for one signal the first."""
    waits = [element for element in saga.elements if isinstance(element, Wait)]
    first = {wait.signal_name: wait.name for wait in reversed(waits)}
    return [wait.name for wait in waits if first[wait.signal_name] == wait.name]


def depends_on_input(saga: Saga) -> bool:
    """Whether its end may be another one for another input: by a condition, or by what ``facts`` says."""
    waits = (element.when for element in saga.elements if isinstance(element, Wait))
    conditional = any(when is not None for when in (*(step.when for step in saga.steps()), *waits))
    return conditional or has_facts(saga)


def prompt_facts(saga: Saga, input: JSON = None) -> Facts:
    """What is known of a saga that gets its answers at once.

    Args:
        saga: Which.
        input: What it is started with; without one, a function ``facts(input)`` beside it is not asked.

    That function says which conditions hold that read what steps return, and which steps the domain declines.
    Where a saga waits for an answer, a decline goes with that answer, and here everybody gets the prompt one.
    """
    names = answered_waits(saga)
    told = told_beside(saga, input) if input is not None else {}
    return Facts(
        signals=frozenset(names),
        declines=frozenset(told.get("declines", ()) if not names else ()),
        input=input,
        payloads=dict.fromkeys(names, ANSWER),
        skips=frozenset(told.get("skips", ())),
        holds=frozenset(told.get("holds", ())),
    )
