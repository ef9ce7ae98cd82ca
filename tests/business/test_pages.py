"""docs/processes.md and docs/bridge.md, their command lines run as they stand there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal
from tests.processes.traces import until
from tests.steady import run_steadily
from tests.tiers import more, thorough

pytestmark = pytest.mark.service

DOCS = Path(__file__).parents[2] / "docs"


def _blocks(page: str) -> list[list[str]]:
    text = (DOCS / page).read_text()
    return [block.strip().splitlines() for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL)]


PROCESSES, BRIDGE = _blocks("processes.md"), _blocks("bridge.md")
RUNS, PERIODS, UNDER_STRAIN, FOR_A_PERSON = PROCESSES
_READY = {"up": "Ctrl-C stops everything.", "worker": "is ready", "serve": "Ctrl-C stops it."}


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path)


@contextmanager
def _in_terminals(terminal: Terminal, lines: list[str]) -> Iterator[list[str]]:
    """Open one for every command that stays; yield the command lines that do not."""
    staying = [line for line in lines if line.split()[1] in _READY]
    with ExitStack() as opened:
        for line in staying:
            background = opened.enter_context(terminal.open(line))
            background.wait_for(_READY[line.split()[1]])
        yield [line for line in lines if line not in staying]
    assert terminal.leftovers() == []


def test_the_pages_are_what_these_tests_expect() -> None:
    assert [len(block) for block in PROCESSES] == [4, 5, 2, 7]
    assert [block[0].split()[0] for block in BRIDGE] == ["pytest", "bakeoff", "bakeoff", "bakeoff"]


@pytest.mark.parametrize(
    "line",
    [
        *map(more, RUNS[:2]),
        *RUNS[2:],
        *map(more, UNDER_STRAIN),
    ],
)
def test_a_process_comes_out_as_planned(terminal: Terminal, line: str) -> None:
    line += " --json result.json" + (" --no-report" if " run " in line else "")
    done = run_steadily(terminal, line, makes=["result.json"])

    # A process of its own is what inline does not survive.
    assert done.returncode == (1 if " crash " in line else 0), done.stdout + done.stderr
    result = json.loads((terminal.folder / "result.json").read_text())
    if " run " in line:
        (about,) = result["engines"].values()
        assert about["validity"] == "valid"
        assert about["counts"]["completed"] > 0
        assert about["counts"]["compensated"] > 0


@thorough
def test_a_saga_per_period(terminal: Terminal) -> None:
    with _in_terminals(terminal, PERIODS) as (schedule, schedules, unschedule):
        made = terminal.run(schedule)
        assert made.returncode == 0, made.stdout + made.stderr
        assert "acme: billing every 30d" in made.stdout
        assert "acme" in terminal.run(schedules).stdout
        assert terminal.run(unschedule).returncode == 0
        assert "nothing is started by schedule" in terminal.run(schedules).stdout


@pytest.mark.parametrize("line", [BRIDGE[1][0], more(BRIDGE[3][0])])
def test_services_behind_a_bridge(terminal: Terminal, line: str) -> None:
    done = run_steadily(terminal, line + (" --no-report" if " run " in line else ""))

    assert done.returncode == 0, done.stdout + done.stderr
    assert terminal.leftovers() == []


@thorough
def test_what_waits_for_a_person(terminal: Terminal) -> None:
    with _in_terminals(terminal, FOR_A_PERSON) as (start, inbox, delegate, approve, result):
        assert terminal.run(start).returncode == 0
        _until_it_waits_for(terminal, inbox, "decision")
        assert terminal.run(delegate).returncode == 0
        _until_it_waits_for(terminal, inbox, "final_decision")
        too_soon = terminal.run("bakeoff approve approval-days-request-8")
        assert too_soon.returncode != 0
        assert terminal.run(approve).returncode == 0
        done = terminal.run(result)
        assert done.returncode == 0, done.stdout
        assert '"decision": "approve", "by": "Grace"' in done.stdout
        assert "nothing waits for a person" in terminal.run(inbox).stdout
        late = terminal.run(approve)
        assert late.returncode == 2
        assert "does not wait for a person (it is completed)" in late.stderr


def _until_it_waits_for(terminal: Terminal, inbox: str, wait: str) -> None:
    def waits() -> bool:
        listed = json.loads(terminal.run(f"{inbox} --json").stdout)
        return [one["waits_for"] for one in listed] == [wait]

    until(waits, f"it waits for {wait}", 30)


@thorough
def test_an_order_over_services_of_a_deployment(terminal: Terminal) -> None:
    with _in_terminals(terminal, BRIDGE[2]) as (start,):
        done = terminal.run(start)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "order-123 completed" in done.stdout
        unknown = terminal.run("bakeoff serve PaymentServic")
        assert unknown.returncode == 2
        assert "service 'PaymentServic' is not known; known: EmailService" in unknown.stderr
