"""The page that ``bakeoff crash`` leaves, as ``bakeoff run`` does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Refused, home, refused
from tests.cli.terminal import Terminal
from tests.tiers import thorough

__all__ = ["home", "refused"]  # fixtures of the command line's own tests

_POINT = "charge_payment.after_effect"
_LINE = ["crash", "--engine", "inline", "--config", "recommended", "--point", _POINT, "--deadline", "20"]
_SAID = "the whole story: {}"


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path)


def _files(terminal: Terminal) -> set[str]:
    return {path.name for path in terminal.folder.iterdir()}


@thorough
@pytest.mark.service
@pytest.mark.slow
def test_a_run_that_is_not_kept_leaves_its_page(terminal: Terminal) -> None:
    """Where one is, also when sagas came to harm."""
    done = terminal.run(_LINE)

    assert done.returncode == 1, done.stderr
    assert _SAID.format("bakeoff-report.html; open it in a browser") in done.stdout
    assert _files(terminal) == {"bakeoff-report.html"}
    page = (terminal.folder / "bakeoff-report.html").read_text()
    assert _POINT in page
    assert "bakeoff crash --engine inline" in page, "how to make it again: there is no folder"
    assert terminal.leftovers() == []


@pytest.mark.service
@pytest.mark.slow
def test_the_page_goes_where_it_is_asked_to(terminal: Terminal) -> None:
    done = terminal.run([*_LINE, "--out", "kept", "--report", "mine.md"])

    assert done.returncode == 1, done.stderr
    assert _SAID.format("mine.md") in done.stdout
    assert _files(terminal) == {"kept", "mine.md"}
    assert not (terminal.folder / "kept" / "report.html").exists()
    assert _POINT in (terminal.folder / "mine.md").read_text()

    again = terminal.run(["crash", "--resume", "kept", "--no-report"])
    assert again.returncode == 1, again.stderr
    assert "the whole story" not in again.stdout
    again = terminal.run(["crash", "--resume", "kept"])
    assert _SAID.format("kept/report.html; open it in a browser") in again.stdout
    assert _POINT in (terminal.folder / "kept" / "report.html").read_text()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("--report nowhere/page.html", "--report nowhere/page.html: cannot be written"),
        ("--report same.json --json same.json", "--report same.json: --json goes there, too"),
        ("--report same.svg --plot same.svg", "--report same.svg: --plot goes there, too"),
    ],
)
def test_a_page_that_cannot_be_is_found_out_before_the_run(
    refused: Refused, options: str, reason: str
) -> None:
    assert reason in refused(f"crash --engine inline {options}")
