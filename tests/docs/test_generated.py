"""docs/results: what says that a command made it is what the command makes of the stored results."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bakeoff.cli.main import run
from tests.docs.generated import ROOT, command_of, generated

_PAGES = list(generated())


def test_there_is_one() -> None:
    assert _PAGES


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.stem)
def test_a_page_is_what_its_command_makes(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody wrote into it, and nothing that it is made of has changed since."""
    shutil.copytree(ROOT / "docs" / "results", tmp_path / "docs" / "results")
    monkeypatch.chdir(tmp_path)
    words = command_of(page)
    before = page.read_text(encoding="utf-8")
    page.unlink()

    assert run(words) == 0
    assert page.read_text(encoding="utf-8") == before, "python -m tests.docs.generated makes it again"


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.stem)
def test_a_page_names_the_day_and_the_command_first(page: Path) -> None:
    opening = (ROOT / page).read_text(encoding="utf-8").split("\n## ")[0]

    assert "measured 20" in opening
    assert "    bakeoff " in opening or "    pytest " in opening
