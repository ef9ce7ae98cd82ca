"""``docs/capabilities.md`` is what the code declares, and the tests that it names ask for what it says."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bakeoff.engine import Capability, Means, Survives
from tests.docs import tables
from tests.docs.named_tests import named_tests

TEXT = tables.CAPABILITIES.read_text()
#: ``| `name` | what it means | what asks for it |``, of the tables that are written by hand.
_ROW = re.compile(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
ROWS = {name: (meaning, asked) for name, meaning, asked in _ROW.findall(TEXT)}
#: Nobody can ask for it.
UNASKED = Survives.POWER_LOSS


@pytest.mark.parametrize("table", [tables.capabilities, tables.survivals, tables.means, tables.taken_away])
def test_the_tables_are_the_engines_own_word(table: Callable[[], tables.Table]) -> None:
    """``python -m tests.docs.tables`` writes them anew."""
    assert "\n".join(table()) + "\n" in TEXT


def test_what_is_shipped_has_the_same_capabilities() -> None:
    """As the page says; else a cell would tell both."""
    assert "->" not in "\n".join(tables.capabilities())


def test_every_member_is_explained_in_the_order_of_the_code() -> None:
    assert list(ROWS) == [*map(str, Capability), *map(str, Survives)]
    assert [means for means in Means if f"* `{means}`: " not in TEXT] == []


@pytest.mark.parametrize("member", [one for one in (*Capability, *Survives) if one is not UNASKED])
def test_the_test_that_is_named_asks_for_it(member: Capability | Survives) -> None:
    ((file, test),) = named_tests(ROWS[str(member)][1])

    assert f"{type(member).__name__}.{member.name}" in set(_asked_by(file, test))


def test_nothing_asks_for_what_is_said_to_be_asked_by_nothing() -> None:
    assert "nothing" in ROWS[str(UNASKED)][1]
    for file in Path(tables.DOCS.parent / "core/bakeoff/contract").glob("test_*.py"):
        assert f"Survives.{UNASKED.name}" not in file.read_text()


def test_a_test_that_asks_for_something_else_is_noticed() -> None:
    ((file, test),) = named_tests("`test_start::test_input_that_is_no_json_is_refused`")

    assert set(_asked_by(file, test)) == {"Capability.IDEMPOTENT_START", "Capability.OUTCOME"}


def _asked_by(file: Path, test: str) -> Iterator[str]:
    """What a test asks for, by its own marks and those of its module."""
    for statement in ast.parse(file.read_text()).body:
        marks: list[ast.expr] = []
        if isinstance(statement, ast.FunctionDef) and statement.name == test:
            marks = statement.decorator_list
        elif isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "pytestmark":
            marks = [statement.value]
        for mark in marks:
            for node in ast.walk(mark):
                if isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("Capability", "Survives"):
                    yield ast.unparse(node)
