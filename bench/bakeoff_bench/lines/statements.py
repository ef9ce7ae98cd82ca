"""The logical lines of a module: its statements, each with the lines on which it can be seen to run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Statement:
    """One logical line.

    Attributes:
        first, last: Its lines; of a compound statement (``if``, ``with`` ...) those of its head.
        declares: It stands outside every function: it runs when the module is imported.
    """

    first: int
    last: int
    declares: bool


def statements_of(file: Path) -> list[Statement]:
    """Every statement of a module but docstrings, in order."""
    return list(_statements(ast.parse(file.read_text(encoding="utf-8")).body, declares=True))


def _statements(body: list[ast.stmt], *, declares: bool) -> Iterator[Statement]:
    for number, node in enumerate(body):
        if number == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue  # a docstring
        inner = [field for field in ("body", "orelse", "finalbody") if getattr(node, field, None)]
        first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", []))])
        last = node.body[0].lineno - 1 if inner and hasattr(node, "body") else node.end_lineno or first
        yield Statement(first, max(first, last), declares)
        function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for field in inner:
            yield from _statements(getattr(node, field), declares=declares and not function)
        for handler in getattr(node, "handlers", []):
            yield from _statements(handler.body, declares=declares and not function)
        for case in getattr(node, "cases", []):
            yield from _statements(case.body, declares=declares and not function)
