"""The workflow and the lines of docs/ci.md."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.terminal import Terminal
from tests.tiers import thorough

_PAGE = Path(__file__).parents[2] / "docs" / "ci.md"
_PATIENCE_S = 200.0

pytestmark = [pytest.mark.service, pytest.mark.slow, pytest.mark.timeout(500)]


def _block(language: str) -> str:
    return _PAGE.read_text().split(f"```{language}\n")[1].split("```")[0]


def _steps() -> list[dict[str, Any]]:
    workflow = yaml.safe_load(_block("yaml"))
    (job,) = workflow["jobs"].values()
    return list(job["steps"])


def test_the_workflow_has_the_steps_that_are_tested_here() -> None:
    lines = [step["run"] for step in _steps() if "run" in step]

    assert [line.split()[0] for line in lines] == ["pip", "pytest", "bakeoff", "bakeoff"]


@thorough
def test_the_steps_of_the_workflow_work(tmp_path: Path) -> None:
    """Of the contract suite a part, as it runs anyway on every engine."""
    terminal = Terminal(tmp_path)
    tests, crash, report = [shlex.split(step["run"])[1:] for step in _steps() if "run" in step][1:]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *tests, "-k", "test_forward"],
        cwd=terminal.folder,
        env=terminal.environ,
        capture_output=True,
        text=True,
        timeout=_PATIENCE_S,
    )
    killed = terminal.run(crash, _PATIENCE_S)
    reported = terminal.run(report)

    assert ran.returncode == 0, ran.stdout
    assert (terminal.folder / "contract.xml").exists()
    assert killed.returncode == 0, killed.stdout
    assert reported.returncode == 0, reported.stderr
    assert (terminal.folder / "report.html").exists()


@thorough
def test_two_loads_are_compared(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    first, second, compare = [shlex.split(line)[1:] for line in _block("sh").splitlines()]
    loads = [terminal.run(line, _PATIENCE_S) for line in (first, second)]
    compared = terminal.run(compare)

    # On a busy machine a round may be void, and then there may be nothing to compare.
    assert all(one.returncode in (0, 1) for one in loads), [one.stderr for one in loads]
    if "no round of it counts" not in compared.stderr:
        assert compared.returncode in (0, 1), compared.stderr
        assert compared.stdout.startswith("**bakeoff compare**: A is `before`, B is `after`")
    assert (terminal.folder / "before" / "report.html").exists()
