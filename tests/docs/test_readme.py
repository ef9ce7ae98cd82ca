"""README.md: its first command, and the three uses, each line as it stands there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal
from tests.docs.fences import ROOT, block_of, lines_of
from tests.docs.stages import checkout
from tests.steady import run_steadily
from tests.tiers import thorough

pytestmark = [pytest.mark.service, pytest.mark.slow]

_FIRST = "python3 -m venv .venv && .venv/bin/pip install -q -e '.[all]'"
_MAIN_JOB = block_of("README.md", _FIRST).text.rpartition(" && ")[2]
_CONTRACT, _LOCUST, _INIT, _DECIDE = lines_of(block_of("README.md", "# Which guarantees"))
_KEPT = _MAIN_JOB.rpartition("--out ")[2]
#: More Enters than there are questions.
_ENTERS = 60
#: Seconds for what starts half a dozen processes on a busy machine.
_LONG_S = 140.0


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """In a checkout, with a folder of its own to work in."""
    opened = Terminal(tmp_path)
    checkout(opened)
    yield opened
    # The folder of the pytest that the page runs is pytest's own to keep.
    assert [left for left in opened.leftovers() if not left.startswith("pytest-of-")] == []


def _main_job(terminal: Terminal, options: str, within_s: float) -> str:
    assert _MAIN_JOB.startswith(".venv/bin/bakeoff ")
    line = f"{_MAIN_JOB.removeprefix('.venv/bin/')} {options}"
    done = run_steadily(terminal, line, within_s, makes=[_KEPT])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "open it in a browser" in done.stdout
    assert (terminal.folder / _KEPT / "report.html").exists()
    return done.stdout


@pytest.mark.timeout(650)
def test_the_main_job(terminal: Terminal) -> None:
    """On no engine: every part of it, and its page."""
    assert "inline" in _main_job(terminal, "--engine inline --count 6", 200)


@thorough
@pytest.mark.timeout(1200)
def test_the_main_job_as_it_stands(terminal: Terminal) -> None:
    told = _main_job(terminal, "", 1100)

    for engine in ("inline", "temporal", "celery", "celery-sagalog", "dramatiq", "choreography"):
        assert engine in told


@pytest.mark.timeout(400)
def test_the_three_uses(terminal: Terminal) -> None:
    """The contract by one of its tests, Locust for seconds, the decision by every default.

    Our facts stand for the run; tests/decide/test_from_run_to_decision.py decides by one.
    """
    one = f"{_CONTRACT} -k test_all_steps_act_once_in_order -p no:cacheprovider"
    contract = terminal.run(one, _LONG_S)
    assert contract.returncode == 0, contract.stdout
    assert "temporal: 1 passed" in contract.stdout

    assert block_of("docs/locust.md", _LOCUST.partition(" --engine")[0]).text == _LOCUST
    locust = run_steadily(terminal, f"{_LOCUST} --rate 4 --duration 4", _LONG_S)
    assert locust.returncode in (0, 1), locust.stdout + locust.stderr  # void, beside other tests
    assert "ledger: valid" in locust.stdout + locust.stderr

    init, decide = (line.replace(_KEPT, "docs/results/facts.json") for line in (_INIT, _DECIDE))
    asked = terminal.run(f"yes '' | head -{_ENTERS} | {init}")
    assert asked.returncode == 0, asked.stderr
    decided = terminal.run(decide)
    # Whether somebody can be recommended, or several, is the facts' word.
    assert decided.returncode in (0, 1), decided.stderr
    assert re.search("^(Recommendation|Nothing that was asked|Equal in points|No sig)", decided.stdout, re.M)


def test_what_is_ours_of_the_purista_services_is_named() -> None:
    """docs/purista.md has the whole table; the README must not say that less of it is ours."""
    about = (ROOT / "README.md").read_text().partition("PURISTA](https://purista.dev)")[2].partition("##")[0]
    words = " ".join(about.split())

    for ours in ("NATS adapter", "Python end", "placeholder for `@purista/harness`"):
        assert ours in words.partition("Ours are")[2]
