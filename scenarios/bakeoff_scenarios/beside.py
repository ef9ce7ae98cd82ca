"""What a function called ``facts`` beside the user's own saga says of it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from bakeoff.errors import UsageError
from bakeoff.saga import JSON, Saga, Wait

_SAYS = ("declines", "signals", "skips", "holds")


def has_facts(saga: Saga) -> bool:
    """Whether there is such a function."""
    return _facts_beside(saga) is not None


def told_beside(saga: Saga, input: JSON) -> dict[str, Any]:
    """What ``facts(input)`` says: ``declines``, ``signals``, ``skips`` and ``holds``, whichever it does.

    Raises:
        UsageError: If it fails, returns something else, or names a step that is none.
    """
    facts = _facts_beside(saga)
    if facts is None:
        return {}
    where = f"saga {saga.name!r}: facts({input!r})"
    try:
        told = facts(input)
    except Exception as error:  # a stranger's function may fail in any way at all
        raise UsageError(f"{where} failed: {type(error).__name__}: {error}") from error
    if not isinstance(told, dict) or not set(told) <= set(_SAYS):
        raise UsageError(f"{where} must return a dict of declines and signals, not {told!r}")
    wrong = [
        what
        for what, value in told.items()
        if not isinstance(value, dict if what == "signals" else (list, tuple, set, frozenset))
    ]
    if wrong:
        kinds = "signals is a dict, the others are lists of names"
        raise UsageError(f"{where}: {', '.join(sorted(wrong))} cannot be meant: {kinds}")
    steps = {step.name for step in saga.steps()}
    waits = {element.name for element in saga.elements if isinstance(element, Wait)}
    known = {"declines": steps, "signals": waits, "skips": steps | waits, "holds": steps | waits}
    for what in _SAYS:
        unknown = sorted(set(told.get(what, ())) - known[what])
        if unknown:
            raise UsageError(f"{where}: {what} of {', '.join(unknown)}, which the saga does not have")
    return told


def _facts_beside(saga: Saga) -> Callable[[JSON], Any] | None:
    """The function ``facts`` of the module that holds this saga, if there is one."""
    for module in list(sys.modules.values()):
        names = getattr(module, "__dict__", {})
        if callable(names.get("facts")) and any(value is saga for value in list(names.values())):
            found: Callable[[JSON], Any] = names["facts"]
            return found
    return None
