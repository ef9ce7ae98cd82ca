"""docs/temporal-vs-celery.md says what the stored facts say."""

from __future__ import annotations

import json
import shlex

import pytest

from bakeoff.cli.main import run
from bakeoff_bench.decide.reading import read_requirements
from bakeoff_bench.decide.stored import read_facts
from tests.docs.answers import CASES, DOCS, FACTS, table

PAGE = DOCS / "temporal-vs-celery.md"


def test_the_table_is_what_the_facts_say() -> None:
    assert "\n".join(table()) in PAGE.read_text(), "python -m tests.docs.answers prints the table"


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

    assert run(shlex.split(line)[1:]) == 0
    assert "Recommendation: " in capfd.readouterr().out


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
