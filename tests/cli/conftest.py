"""A terminal for each test, and a user whose command lines must be refused."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from bakeoff.cli.main import run
from tests.cli.terminal import Terminal

Refused = Callable[..., str]


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder; temporary files go beside it."""
    home, temporary = tmp_path / "home", tmp_path / "tmp"
    home.mkdir()
    temporary.mkdir()
    monkeypatch.chdir(home)
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    for variable in ("BAKEOFF_LEDGER", "BAKEOFF_OTLP", "BAKEOFF_STATE"):
        monkeypatch.delenv(variable, raising=False)
    return home


def _files(home: Path) -> list[Path]:
    """What Python leaves beside a user's own module is no leftover of ours."""
    return sorted(path for path in home.rglob("*") if "__pycache__" not in path.parts)


@pytest.fixture
def refused(home: Path, capfd: pytest.CaptureFixture[str]) -> Refused:
    """Run a command line that must be refused; return the one line that says why."""

    def refuse(line: str | list[str]) -> str:
        before = {process.pid for process in psutil.Process().children(recursive=True)}
        files = _files(home)
        code = run(line.split() if isinstance(line, str) else line)
        printed = capfd.readouterr()

        assert code == 2, printed.err
        # What is about to happen may have been announced; nothing else.
        assert re.fullmatch(r"(\d+ order sagas on each of .*: about \d+ s\n)?", printed.out)
        ignored = re.compile(r"warning: |\w+: starting$")
        errors = [text for text in printed.err.splitlines() if not ignored.match(text)]
        assert len(errors) == 1, printed.err
        assert errors[0].startswith("error: ")
        assert {process.pid for process in psutil.Process().children(recursive=True)} <= before
        assert _files(home) == files
        assert list((home.parent / "tmp").iterdir()) == []
        return errors[0]

    return refuse
