"""Running ``bakeoff`` in this process: quick, and its output is at hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bakeoff.cli.main import run


@dataclass
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str
    result: dict[str, Any]

    def verdicts(self, engine: str) -> dict[str, str]:
        """``{invariant: word}``."""
        return {v["invariant"]: v["validity"] for v in self.result["engines"][engine]["verdicts"]}


Command = Callable[..., Ran]


@pytest.fixture
def bakeoff(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    """Run one command with ``--json``; return exit code, output and result."""

    def command(*arguments: str, json_: bool = True) -> Ran:
        file = tmp_path / "result.json"
        file.unlink(missing_ok=True)
        code = run([*arguments, *(["--json", str(file)] if json_ else [])])
        printed = capsys.readouterr()
        result = json.loads(file.read_text()) if file.exists() else {}
        return Ran(code, printed.out, printed.err, result)

    return command
