"""Tests that a page names: ``path/test_file.py::test_name``, or ``test_file::test_name`` of the contract."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
_CONTRACT = "core/bakeoff/contract"
_NAMED = re.compile(r"`((?:[\w/]+/)?test_\w+(?:\.py)?)::(test_\w+)")


def named_tests(text: str) -> list[tuple[Path, str]]:
    """``(file, test)`` of each, whether they exist or not."""
    return [(_file(place), test) for place, test in _NAMED.findall(text)]


def is_there(file: Path, test: str) -> bool:
    """Whether the file has a test of this name."""
    return test in _tests_in(file)


def _file(place: str) -> Path:
    return ROOT / (place if place.endswith(".py") else f"{_CONTRACT}/{place}.py")


@cache
def _tests_in(file: Path) -> frozenset[str]:
    """Read, not imported: what a test needs may be missing here."""
    if not file.is_file():
        return frozenset()
    found = ast.parse(file.read_text()).body
    return frozenset(one.name for one in found if isinstance(one, ast.FunctionDef))
