"""docs/write-an-engine.md: its lines, with the package of the page installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal
from tests.docs.fences import ROOT, block_of, lines_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

_INSTALL, *_LINES = lines_of(block_of("docs/write-an-engine.md", "pip install -e ."))
_STORE, _COMPARE = lines_of(
    block_of("docs/write-an-engine.md", "pytest --engine=threads --contract-reviewed")
)
_ONE_TEST = "-k test_all_steps_act_once_in_order -p no:cacheprovider"
_FEW = "--count 6 --rounds 1"


def test_the_lines_of_the_page(tmp_path: Path) -> None:
    """Installed where it can be thrown away, not as editable."""
    assert _INSTALL == "pip install -e ."
    packages = tmp_path / "packages"
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation"]
    source = str(ROOT / "tests" / "example_engine")
    subprocess.run([*pip, "--target", str(packages), source], check=True, timeout=100)
    terminal = Terminal(tmp_path, {"PYTHONPATH": str(packages)})

    for line in [*_LINES, _STORE, _COMPARE]:
        done = terminal.run(f"{line} {_ONE_TEST if line.startswith('pytest') else _FEW}")
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        assert "threads" in done.stdout
    assert (terminal.folder / "result.json").exists()
    # The matrix was stored; a status that changes is red.
    reviewed = terminal.folder / "reviewed.json"
    reviewed.write_text(reviewed.read_text().replace('"passed"', '"failed"'))
    assert terminal.run(f"{_COMPARE} {_ONE_TEST}").returncode == 1
