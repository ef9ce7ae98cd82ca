"""Sagas by reference: ``package.module`` (all of its sagas) or ``package.module:attribute``."""

from __future__ import annotations

import difflib
import importlib
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from bakeoff.errors import SagaDefinitionError, UnknownNameError, UsageError
from bakeoff.plugins import in_a_line
from bakeoff.saga import Action, Saga


def load_sagas(references: Iterable[str]) -> dict[str, Saga]:
    """Import every reference and return ``{saga name: saga}``.

    Raises:
        UsageError: If a module cannot be imported, or two different sagas share a name.
        UnknownNameError: If the attribute does not exist or is no saga.
    """
    sagas: dict[str, Saga] = {}
    for reference in references:
        for saga in _load(reference):
            known = sagas.setdefault(saga.name, saga)
            if known is not saga:
                raise UsageError(f"two different sagas are called {saga.name!r}; one of them is {reference}")
    return sagas


def load_commands(references: Iterable[str]) -> list[Action]:
    """What the modules of these references name as ``COMMANDS``: commands that no step of theirs calls.

    Raises:
        UsageError: If a module cannot be imported, or its ``COMMANDS`` are something else.
    """
    found: dict[Action, None] = {}
    for reference in references:
        module = _module(reference)
        named = getattr(module, "COMMANDS", ())
        if not isinstance(named, tuple | list) or not all(map(callable, named)):
            raise UsageError(f"{module.__name__}: COMMANDS is a tuple of functions, each with @command(...)")
        found |= dict.fromkeys(named)
    return list(found)


def _load(reference: str) -> list[Saga]:
    module_name, _, attribute = reference.partition(":")
    module = _module(reference)
    if not attribute:
        return [value for value in vars(module).values() if isinstance(value, Saga)]
    value = getattr(module, attribute, None)
    if not isinstance(value, Saga):
        names = [name for name, item in vars(module).items() if isinstance(item, Saga)]
        listed = ", ".join(names) or "none"
        raise UnknownNameError(
            f"saga {reference}: {module_name} has no saga {attribute!r}; its sagas: {listed}"
        )
    return [value]


def _module(reference: str) -> ModuleType:
    module_name = reference.partition(":")[0]
    # A user's own module lies in the folder where the command was typed.
    try:
        here = str(Path.cwd())
    except FileNotFoundError:
        raise UsageError("the folder where this was typed is gone; go to another one") from None
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        return importlib.import_module(module_name)
    except SagaDefinitionError:
        raise
    except (Exception, SystemExit) as error:  # a user's module may do anything at all when it is imported
        raise UsageError(f"saga {reference}: cannot import {module_name!r}: {in_a_line(error)}") from error


def find_saga(name: str, sagas: dict[str, Saga]) -> Saga:
    """Return the saga called ``name``; ``UnknownNameError`` lists the known ones."""
    if name in sagas:
        return sagas[name]
    close = difflib.get_close_matches(name, sagas, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise UnknownNameError(
        f"saga {name!r} is not known; known: {', '.join(sorted(sagas))}, or package.module:attribute.{hint}"
    )
