"""docs/temporal-vs-celery.md says what the stored facts say."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from bakeoff.cli.main import run
from bakeoff.engine import Capability
from bakeoff_bench.decide.decision import decide
from bakeoff_bench.decide.reading import read_requirements
from bakeoff_bench.decide.stored import read_facts
from tests.docs.answers import CASES, DOCS, FACTS, numbers, table

PAGE = DOCS / "temporal-vs-celery.md"


def test_the_table_is_what_the_facts_say() -> None:
    assert "\n".join(table()) in PAGE.read_text(), "python -m tests.docs.answers prints the table"


def test_the_numbers_are_what_the_facts_say() -> None:
    assert "\n".join(numbers()) in PAGE.read_text(), "python -m tests.docs.answers prints them"


def test_the_page_names_the_day_and_the_machine() -> None:
    about = json.loads(FACTS.read_text())
    days = {one["created_at"][:10] for one in about["made_of"] if one["created_at"]}

    assert all(day in PAGE.read_text() for day in days)
    assert "two cores" in PAGE.read_text()


def test_the_line_of_the_page_works(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    line = PAGE.read_text().split("```sh\n")[1].splitlines()[0]
    monkeypatch.chdir(DOCS.parent)

    words = shlex.split(line)
    (requirements,) = [Path(word) for word in words if word.endswith(".toml")]
    answer = decide(read_requirements(requirements), read_facts(FACTS)).recommended
    assert answer
    assert run(words[1:]) == 0
    assert f"{' and '.join(answer)}." in capfd.readouterr().out


def test_every_case_of_the_seeds_is_there() -> None:
    """Eight bullets of the first, six rows of the second, one of them the same."""
    assert len(CASES) == 13


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_every_case_can_be_decided_by_what_is_measured(case: object) -> None:
    """Every constraint is met or failed by somebody: none is a word that no evidence answers."""
    asked = read_requirements(case)  # type: ignore[arg-type]
    facts = read_facts(FACTS)

    for must in asked.musts:
        assert {must.judge(one).answer for one in facts} - {"unknown"}, must.says


@pytest.mark.parametrize("name", ["history", "python-only", "reactions"])
def test_a_case_that_measures_less_than_its_title_says_so(name: str) -> None:
    """In comments above what is asked for, and whatever they point to is there."""
    text = (DOCS / "examples" / "requirements" / f"{name}.toml").read_text()
    about = " ".join(line.removeprefix("# ") for line in text.splitlines() if line.startswith("#"))

    assert re.search("[Nn]either asked for nor measured|What is asked for instead", about)
    for place in re.findall(r"(?:docs|tests)/[\w/]+\.\w+", about):
        assert (DOCS.parent / place).is_file(), place


def test_no_engine_declares_replay() -> None:
    """Otherwise history.toml would have to ask for it."""
    assert [one for one in Capability if "replay" in one] == []
