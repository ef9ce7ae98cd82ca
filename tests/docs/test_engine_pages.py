"""Every engine's page has the same five parts, and they say what its engine declares."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import pytest

from bakeoff.engine import Survives
from bakeoff.settings import ConfigClass, Value
from tests.docs.claimed import (
    CLASSES,
    ENGINES,
    Promise,
    absent,
    brokers_of,
    settings_of,
    told,
    variations,
)
from tests.docs.tables import DOCS, costs, page_of

PARTS = ("How it is built here", "Traps", "Settings", "What it cannot do", "What it cost")
_BLOCK = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)

each = pytest.mark.parametrize("engine", ENGINES)


def _sections(engine: str) -> list[tuple[str, str]]:
    """``(second-level heading, what stands below it)``."""
    _, *found = _HEADING.split(_BLOCK.sub("", page_of(engine).read_text()))
    return list(zip(found[::2], found[1::2], strict=True))


def _section(engine: str, heading: str) -> str:
    return dict(_sections(engine))[heading]


@each
def test_the_five_parts_are_there_in_one_order(engine: str) -> None:
    """Others may stand between them; none of the five is empty."""
    sections = _sections(engine)

    assert tuple(heading for heading, _ in sections if heading in PARTS) == PARTS
    assert [heading for heading, text in sections if not text.strip()] == []


def test_every_page_of_an_engine_is_looked_at() -> None:
    """A new one would escape these tests."""
    assert {page.stem for page in (DOCS / "engines").glob("*.md")} - {"README"} == set(ENGINES)


@each
def test_what_is_absent_is_named(engine: str) -> None:
    """In whichever class, on whichever broker, with whichever setting; and nothing that is always there."""
    named = set(re.findall(r"\*\*`(\w+)`\*\*", _section(engine, "What it cannot do")))
    sometimes = {promise for _, lacking in _all_settings(engine) for promise in lacking}
    recommended = {one for broker in brokers_of(engine) for one in absent(told(engine, broker, CLASSES[1]))}
    # What a setting takes from the deaths that a saga survives is too much for a list.
    must = {one for one in sometimes if one in recommended or not isinstance(one, Survives)}

    assert CLASSES[1] is ConfigClass.RECOMMENDED
    assert sorted(must - named) == []
    assert sorted(named - sometimes) == []


def _all_settings(engine: str) -> Iterator[tuple[str, set[Promise]]]:
    """``(with what, everything that is absent then)``."""
    for broker in brokers_of(engine):
        for config_class in CLASSES:
            yield f"{broker} {config_class}", absent(told(engine, broker, config_class))
        for what, _, changed in variations(engine, broker):
            yield f"{broker} {what}", absent(told(engine, broker, changed=changed))


@each
def test_the_table_of_settings_is_the_declaration(engine: str) -> None:
    """Every setting once, with its value in each class; an empty cell is one that is not set."""
    declared = {
        name: tuple(_shown(value) for value in (one.default, one.recommended, one.ci))
        for name, one in settings_of(engine).items()
    }

    assert _listed(engine) == declared


def _listed(engine: str) -> Mapping[str, tuple[str, ...]]:
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in _section(engine, "Settings").splitlines()
        if line.startswith("|")
    ]
    head, _, *others = rows
    assert [cell.strip("`") for cell in head[:4]] == ["setting", "default", "recommended", "ci"]
    found: dict[str, tuple[str, ...]] = {}
    for row in others:
        for name in re.findall(r"`(\w+)`", row[0]):
            assert name not in found, f"{name} stands there twice"
            found[name] = tuple(row[1:4])
    return found


def _shown(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.10g}" if isinstance(value, float) else str(value)


@each
def test_what_it_cost_is_its_column_of_the_table_of_all(engine: str) -> None:
    """``python -m tests.docs.tables`` writes it anew when that has been counted again."""
    assert "\n".join(costs(engine)) in _section(engine, "What it cost")
