"""Blocks of the documentation that no other test executes, run here, most of them made small."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from bakeoff.processes import free_ports
from tests.cli.terminal import Terminal
from tests.docs.fences import Block, blocks, lines_of
from tests.docs.how import Ran
from tests.docs.test_blocks import entries_of
from tests.tiers import thorough

pytestmark = [pytest.mark.service, pytest.mark.slow, pytest.mark.timeout(400)]

_PATIENCE_S = 180.0
#: What a machine that is too busy to offer a load has nothing to say about.
_TOO_BUSY = "no round of it counts"

_RAN = [(block, how) for block in blocks() for how in entries_of(block) if isinstance(how, Ran)]


@pytest.mark.parametrize(
    ("block", "how"),
    [pytest.param(block, how, id=str(block), marks=[thorough] * how.thorough) for block, how in _RAN],
)
def test_a_block_works(block: Block, how: Ran, tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    if how.stage is not None:
        how.stage(terminal)
    told, folder = "", ""
    for line in lines_of(block):
        options = how.options_of(line)
        if line.startswith("cd "):
            folder = f"{line} && "
        elif options is not None:
            done = _run(terminal, folder, f"{_small(line, how)} {options}".strip())
            told += done.stdout + done.stderr
            if _TOO_BUSY in done.stderr:
                return
            assert done.returncode in how.codes, f"{line}\n{told}"
            assert "Traceback" not in told, told
    assert how.told in told
    # The folder of a pytest that a page runs is pytest's own to keep.
    assert [left for left in terminal.leftovers() if not left.startswith("pytest-of-")] == []


def _small(line: str, how: Ran) -> str:
    for words, instead in how.instead.items():
        line = line.replace(words, instead)
    return line


def _run(terminal: Terminal, folder: str, line: str) -> subprocess.CompletedProcess[str]:
    """As a user types it; a ``bakeoff`` that nothing stands before runs in this process, which is quicker."""
    (port,) = free_ports(1)
    line = line.replace("{port}", str(port))
    program, *arguments = shlex.split(line)
    if program == "bakeoff" and not folder:
        return terminal.run_here(arguments)
    return terminal.run(f"{folder}{line}", _PATIENCE_S)
