"""A matrix that is broken off, however that happens, goes on where it was and can be judged again."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal
from tests.processes.traces import Traces, until
from tests.tiers import thorough

pytestmark = [pytest.mark.service, pytest.mark.slow]

_POINTS = [f"charge_payment.{point}" for point in ("between_steps", "before_effect", "after_effect")]
_LINE = [
    "crash",
    "--engine",
    "inline",
    "--lanes",
    "1",
    *(part for one in _POINTS for part in ("--point", one)),
]


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path)


def _rows(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "kills.jsonl").read_text().splitlines()]


@thorough
def test_a_matrix_whose_harness_was_killed_goes_on_and_is_judged_alike(terminal: Terminal) -> None:
    run = terminal.folder / "run"
    with terminal.open([*_LINE, "--out", "run"]) as command:
        command.wait_for("1 of 3")
        traces = Traces(command.popen.pid)
        command.popen.kill()
        command.popen.wait(10)
    until(lambda: traces.alive() == [], "nothing of it runs", 10)
    first = _rows(run)
    assert 1 <= len(first) < 3

    resumed = terminal.run(["crash", "--resume", "run"])
    checked = terminal.run(["check", "run"])

    assert resumed.returncode == 1, "inline loses them"
    rows = _rows(run)
    assert rows[: len(first)] == first, "what was finished is kept"
    assert Counter(row["point"] for row in rows) == Counter(_POINTS)
    assert {row["outcome"] for row in rows} == {"lost"}
    assert checked.returncode == 1
    assert "3 kills judged again, 3 the same" in checked.stdout
    assert "not made yet" not in checked.stdout
    again = terminal.run(["crash", "--resume", "run"])
    assert _rows(run) == rows, "there was nothing left to do"
    assert "0 kills" in again.stdout

    file = run / "kills.jsonl"
    file.write_text(file.read_text().replace('"outcome":"lost"', '"outcome":"void"', 1))
    assert "1 kills" in terminal.run(["crash", "--resume", "run"]).stdout, "what did not land is made again"
    assert [row["outcome"] for row in _rows(run)].count("lost") == 3
    assert "3 kills judged again, 3 the same" in terminal.run(["check", "run"]).stdout


def test_a_run_folder_that_can_take_no_more_is_one_clear_line(terminal: Terminal) -> None:
    """As on a full disk: no file may grow beyond 16 or 32 kB, whichever unit the shell has."""
    words = " ".join([f"'{sys.executable}'", "-m", "bakeoff", *_LINE, "--out", "run"])
    refused = terminal.run(f"ulimit -f 32; exec {words}")

    assert refused.returncode in (1, 2)
    assert "Traceback" not in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert "cannot" in refused.stderr
    assert terminal.leftovers() == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["crash", "--resume", "nowhere"], "nowhere is no folder of a crash run"),
        (["crash", "--resume", "nowhere", "--engine", "inline"], "leave the other options out"),
        (["crash", "--engine", "inline", "--broker", "kafka"], "--broker kafka: there is no such broker"),
        (["sweep", "--engine", "inline", "--vary", "threads=4,4"], "a value is there twice"),
        (["sweep", "--engine", "inline", "--vary", "threds=4,8"], "did you mean inline.threads?"),
        (["sweep", "celery-redelivry"], "Did you mean 'celery-redelivery'?"),
    ],
)
def test_mistakes_are_one_line(terminal: Terminal, arguments: list[str], message: str) -> None:
    refused = terminal.run(arguments)

    assert refused.returncode == 2
    assert message in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert terminal.leftovers() == []
