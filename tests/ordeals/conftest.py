"""``bakeoff ordeal`` as a user calls it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.terminal import Terminal

#: Runs an ordeal on one engine: exit code, its result, everything that was printed.
Put = Callable[..., tuple[int, dict[str, Any], str]]


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path)


@pytest.fixture
def put(terminal: Terminal) -> Put:
    """Nothing may be left behind by any of them."""

    def put(name: str, engine: str, *more: str) -> tuple[int, dict[str, Any], str]:
        done = terminal.run(["ordeal", name, "--engine", engine, *more, "--json", "result.json"])
        assert (terminal.folder / "result.json").exists(), done.stderr + done.stdout
        found = json.loads((terminal.folder / "result.json").read_text())
        assert terminal.leftovers() == []
        return done.returncode, found["ordeals"][name][engine], done.stdout

    return put
