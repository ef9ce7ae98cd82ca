"""Whether a test takes what it executes from a page: followed by names, from the test to the page's file."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.docs.fences import ROOT

_READS = "read_text"
#: Functions that read every page.
_READERS = ("blocks", "block_of")


def reaches(file: Path, test: str, page: str) -> bool:
    """Whether this test depends on the text of ``page`` (``docs/run.md``)."""
    strings, reads = set[str](), False
    for node in _behind(file, test):
        for one in ast.walk(node):
            if isinstance(one, ast.Constant) and isinstance(one.value, str):
                strings.add(one.value)
            reads |= isinstance(one, ast.Attribute) and one.attr == _READS
            reads |= isinstance(one, ast.Name) and one.id in _READERS
    name = Path(page).name
    return reads and any(one == name or one.endswith(f"/{name}") for one in strings)


def _behind(file: Path, name: str) -> Iterator[ast.AST]:
    """What defines this name, and every name of our tests that it uses, in turn."""
    seen, open_ = set[tuple[Path, str]](), [(file, name)]
    while open_:
        file, name = open_.pop()
        if (file, name) in seen:
            continue
        seen.add((file, name))
        found, imported = _definitions(file)
        if name in imported:
            open_.append(imported[name])
        for node in found.get(name, ()):
            yield node
            open_ += [(file, used) for used in _names_in(node)]


def _names_in(node: ast.AST) -> Iterator[str]:
    """Fixtures are named by arguments."""
    for one in ast.walk(node):
        if isinstance(one, ast.Name):
            yield one.id
        elif isinstance(one, ast.arg):
            yield one.arg


@cache
def _definitions(file: Path) -> tuple[dict[str, list[ast.AST]], dict[str, tuple[Path, str]]]:
    """``{name: what defines it}`` and ``{name: (file, name there)}`` of what comes from another test file."""
    found: dict[str, list[ast.AST]] = {}
    imported: dict[str, tuple[Path, str]] = {}
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.setdefault(node.name, []).append(node)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                for one in ast.walk(target):
                    if isinstance(one, ast.Name):
                        found.setdefault(one.id, []).append(node)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tests."):
            there = ROOT / f"{(node.module or '').replace('.', '/')}.py"
            if there.is_file():
                imported.update({one.asname or one.name: (there, one.name) for one in node.names})
    return found, imported
