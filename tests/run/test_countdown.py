"""How much time is left is said in the same words wherever something takes long."""

from __future__ import annotations

import io
import re
import time
from pathlib import Path

import pytest
from rich.console import Console

from bakeoff_bench.run.countdown import Countdown, span, time_left
from bakeoff_bench.run.drive import Tally
from bakeoff_bench.run.progress import Progress
from tests.cli.terminal import Terminal
from tests.run.conftest import Command

_LEFT = r"(about \d+(\.\d)? (s|min|h) left|longer than expected)"


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0 s"), (119.4, "119 s"), (120, "2 min"), (7199, "120 min"), (9000, "2.5 h")]
)
def test_seconds_minutes_hours(seconds: float, words: str) -> None:
    assert span(seconds) == words
    assert time_left(seconds) == f"about {words} left"


def test_a_guess_that_has_run_out_is_owned_up_to() -> None:
    assert str(Countdown(30, time.monotonic() - 10)) == "about 20 s left"
    assert str(Countdown(30, time.monotonic() - 31)) == "longer than expected"


def test_lines_of_a_run_tell_it(capsys: pytest.CaptureFixture[str]) -> None:
    tally = Tally(planned=60, started=12, settled=10, state="round 1 of 2")
    with Progress({"celery": tally}, Countdown(90)) as progress:
        progress.changed("celery")

    told = capsys.readouterr().err
    assert re.search(r"^celery: round 1 of 2, 12 of 60 started.*; about (90|89) s left$", told, re.MULTILINE)


def test_the_table_of_a_run_tells_it_at_80_columns() -> None:
    tallies = {name: Tally(planned=200, started=99, state="round 1 of 4") for name in ("celery-sagalog", "x")}
    screen = Console(file=io.StringIO(), width=80, force_terminal=False)
    screen.print(Progress(tallies, Countdown(300))._table())
    assert isinstance(screen.file, io.StringIO)
    shown = screen.file.getvalue()

    assert "about 5 min left" in shown
    assert "celery-sagalog" in shown
    assert max(len(line.rstrip()) for line in shown.splitlines()) <= 80


def test_a_run_says_it_first_and_meanwhile(tmp_path: Path) -> None:
    done = Terminal(tmp_path).run(
        ["run", "--engine", "inline", "--only", "sagas", "--count", "30", "--rounds", "1", "--no-report"]
    )

    assert done.returncode == 0, done.stderr
    assert re.search(r": about \d+ s in all$", done.stdout, re.MULTILINE)
    assert re.search(rf"^inline: .* of 30 started.*; {_LEFT}$", done.stderr, re.MULTILINE)


def test_judging_that_takes_long_is_announced(
    bakeoff: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second of it is nobody's worry; how long it takes follows from the ledger's size."""
    out = str(tmp_path / "run")
    line = ("run", "--engine", "inline", "--only", "sagas", "--count", "20", "--rounds", "1")
    ran = bakeoff(*line, "--out", out, "--no-report")
    assert ran.code == 0, ran.err
    assert "judging the ledger" not in ran.out

    monkeypatch.setattr("bakeoff_bench.run.result._BYTES_PER_S", 1000.0)
    told = bakeoff("check", out).out
    assert re.search(
        r"^judging the ledger of inline, 0\.\d MB: about \d+ (s|min) \.\.\.$", told, re.MULTILINE
    )
    page = str(tmp_path / "page.md")
    assert "judging the ledger of inline" in bakeoff("report", out, "-o", page, json_=False).out
