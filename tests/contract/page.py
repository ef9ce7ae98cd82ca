"""The second half of ``docs/contract.md``; ``python -m tests.contract.page`` renews it from the suite."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType

import bakeoff.contract
from tests.saboteurs.catalogue import SABOTEURS
from tests.saboteurs.cover import ALSO_CAUGHT

PAGE = Path(__file__).parents[2] / "docs/contract.md"
HEADING = "## What is asked\n"


def modules() -> Iterator[ModuleType]:
    """The modules of the suite that hold tests."""
    for found in pkgutil.iter_modules(bakeoff.contract.__path__, "bakeoff.contract."):
        if found.name.rpartition(".")[2].startswith("test_"):
            yield importlib.import_module(found.name)


def functions(module: ModuleType) -> Iterator[tuple[str, FunctionType]]:
    """The tests of a module."""
    for name, value in vars(module).items():
        if name.startswith("test_") and inspect.isfunction(value):
            yield name, value


def written() -> str:
    """What the page says."""
    return PAGE.read_text().partition(HEADING)[2]


def generated() -> str:
    """What it should say: every test, its promise and who of the saboteurs it catches."""
    parts = []
    for module in modules():
        short = module.__name__.rpartition(".")[2]
        rows = [
            f"| `{name.removeprefix('test_')}` | {_promise(function)} | {_caught(f'{short}::{name}')} |"
            for name, function in functions(module)
        ]
        head = "| test | what it asks for | catches |\n|---|---|---|"
        parts.append(
            "\n".join(["", f"### `{short}`", "", (module.__doc__ or "").strip(), "", head, *rows, ""])
        )
    return "".join(parts)


def _promise(function: FunctionType) -> str:
    return " ".join((inspect.getdoc(function) or "").partition("\n\n")[0].split())


def _caught(test: str) -> str:
    """Names of saboteurs, those first whose promise it is."""
    names = [name for name, saboteur in SABOTEURS.items() if saboteur.caught_by.partition("[")[0] == test]
    names += [name for other, name in ALSO_CAUGHT.items() if other.partition("[")[0] == test]
    return ", ".join(name.replace("_", " ") for name in dict.fromkeys(names))


if __name__ == "__main__":
    PAGE.write_text(PAGE.read_text().partition(HEADING)[0] + HEADING + generated())
