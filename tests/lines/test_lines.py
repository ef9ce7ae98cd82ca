"""Logical lines and the capability that each belongs to."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bakeoff.cli.main import run
from bakeoff_bench.lines import tracer
from bakeoff_bench.lines.attribution import DECLARED, NOT_RUN, SHARED, attribute, count_lines
from bakeoff_bench.lines.statements import Statement, statements_of
from tests.tiers import thorough

MODULE = '''"""A docstring."""

import os

LIMIT = (
    1,
    2,
)


class Sender:
    """Another one."""

    size = 3

    def send(self, what):
        if (
            what
            and LIMIT
        ):
            return os.name
        try:
            self.size += 1
        except ValueError:
            return None
        return what
'''


@pytest.fixture
def module(tmp_path: Path) -> Path:
    file = tmp_path / "sender.py"
    file.write_text(MODULE)
    return file


def test_statements_are_counted_once_with_the_lines_of_their_heads(module: Path) -> None:
    found = [(one.first, one.last, one.declares) for one in statements_of(module)]

    assert found == [
        (3, 3, True),
        (5, 8, True),
        (11, 11, True),
        (14, 14, True),
        (16, 16, True),
        (17, 20, False),
        (21, 21, False),
        (22, 22, False),
        (23, 23, False),
        (25, 25, False),
        (26, 26, False),
    ]


REQUIRES = {
    1: frozenset({"outcome"}),
    2: frozenset({"outcome", "signals"}),
    3: frozenset({"outcome", "cancel", "signals"}),
    4: frozenset({"describe"}),
}


@pytest.mark.parametrize(
    ("tests", "belongs_to"),
    [
        ({1, 2, 3}, "outcome"),
        ({2, 3}, "signals"),
        ({3}, "cancel"),
        ({1, 4}, SHARED),
        ({4}, "describe"),
        (set(), NOT_RUN),
        ({0}, SHARED),
    ],
)
def test_a_line_belongs_to_what_all_tests_that_run_it_ask_for(tests: set[int], belongs_to: str) -> None:
    inside, outside = Statement(5, 7, False), Statement(5, 7, True)

    assert attribute(inside, {6: frozenset(tests)}, REQUIRES) == belongs_to
    assert attribute(outside, {6: frozenset(tests)}, REQUIRES) == DECLARED


def test_a_process_notes_its_lines_before_it_is_killed(module: Path, tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    tracer.make_clock(folder)
    script = (
        "import os, signal, sys; from bakeoff_bench.lines import tracer; tracer.begin(); import sender\n"
        "from pathlib import Path; tracer.set_number(Path(os.environ[tracer.FOLDER]), 7)\n"
        "if os.fork() == 0: sender.Sender().send('x'); os.kill(os.getpid(), signal.SIGKILL)\n"
        "os.wait()\n"
    )
    environ = {tracer.FOLDER: str(folder), tracer.PACKAGE: str(tmp_path), "PYTHONPATH": str(tmp_path)}
    subprocess.run([sys.executable, "-c", script], env=environ, check=True, timeout=30)

    texts = [file.read_text() for file in folder.glob("*.lines")]
    noted = {tuple(line.split("\t")[:2]) for text in texts for line in text.splitlines()}
    assert ("0", "11") in noted, "the class, when the module was imported"
    assert {number for number, line in noted if line == "20"} == set(), "part of a longer statement"
    assert ("7", "21") in noted, "by the forked child that was killed"
    assert not {line for _, line in noted} & {"23", "26"}
    ran = {str(module): {int(line): frozenset({int(number)}) for number, line in noted}}
    counted = count_lines([module], ran, {7: frozenset({"signals"})})
    assert counted == {DECLARED: 5, "signals": 2, NOT_RUN: 4}


@pytest.mark.slow
@thorough
def test_the_command_counts_every_logical_line_of_an_adapter(tmp_path: Path) -> None:
    out = tmp_path / "lines.json"

    assert run(["bench", "lines", "--engine", "inline", "--json", str(out)]) == 0
    (counted,) = json.loads(out.read_text())["engines"].values()
    assert counted["signals"] > 0
    assert counted["cancel"] > 0
    assert counted[SHARED] > counted["signals"]
    assert counted.get(NOT_RUN, 0) < sum(counted.values()) / 10
