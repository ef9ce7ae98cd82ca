"""docs/checklist.md: every item of PURISTA's, every line as it stands there, every step that it speaks of."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bakeoff.registry import load_sagas
from tests.cli.terminal import Terminal
from tests.docs.named_tests import named_tests
from tests.processes.traces import until
from tests.tiers import thorough

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "checklist.md").read_text()
HEAD, *SECTIONS = re.split(r"^## ", PAGE, flags=re.MULTILINE)
ITEMS = {section.partition("\n")[0]: section for section in SECTIONS}
#: As the handbook has them.
HANDBOOK = [
    "Workflow is genuinely long-running or complex",
    "Temporal activities invoke idempotent PURISTA commands",
    "PURISTA events signal Temporal workflows where needed",
    "Compensation logic is defined for saga patterns",
    "Workflow state is observable in Temporal UI",
    "Timeouts and retries are configured per activity",
]


def _blocks(text: str, language: str = "sh") -> list[str]:
    return [block.strip() for block in re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)]


def test_every_item_has_a_section_with_lines_and_tests() -> None:
    assert list(ITEMS) == HANDBOOK
    for section in SECTIONS:
        assert _blocks(section)
        assert named_tests(section)


def test_every_step_without_an_undo_has_a_reason() -> None:
    """And none is excused that has one, or that is not there."""
    rows = re.findall(r"^\| (`.*) \| [^|]+ \|$", ITEMS[HANDBOOK[3]], re.MULTILINE)
    excused = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    sagas = load_sagas(["bakeoff.orders", "bakeoff.business"]).values()
    without = {step.name for saga in sagas for step in saga.steps() if step.compensation is None}

    assert sorted(excused) == sorted(without)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """In a checkout, with a folder of its own to work in."""
    opened = Terminal(tmp_path, {"PYTHONPATH": str(ROOT)})
    (opened.folder / "docs").symlink_to(ROOT / "docs")
    yield opened
    # The folder of the pytest that the page runs is pytest's own to keep.
    assert [left for left in opened.leftovers() if not left.startswith("pytest-of-")] == []


def _run(terminal: Terminal, line: str, code: int = 0) -> str:
    done = terminal.run(line)
    assert done.returncode == code, f"{line}\n{done.stdout}{done.stderr}"
    return done.stdout


@thorough
@pytest.mark.service
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_page_works_from_its_first_line_to_its_last(terminal: Terminal) -> None:
    up, serve, work = _blocks(HEAD)[0].splitlines()
    with ExitStack() as terminals:
        for line, ready in (
            (up, "Ctrl-C stops everything."),
            (serve, "Ctrl-C stops it."),
            (work, "is ready"),
        ):
            terminals.enter_context(terminal.open(line)).wait_for(ready)
        _long_running(terminal, ITEMS[HANDBOOK[0]])
        _idempotent(terminal, ITEMS[HANDBOOK[1]])
        _signalled(terminal, ITEMS[HANDBOOK[2]])
        _compensated(terminal, ITEMS[HANDBOOK[3]])
        _observable(terminal, ITEMS[HANDBOOK[4]])
        _configured(terminal, ITEMS[HANDBOOK[5]])


def _long_running(terminal: Terminal, section: str) -> None:
    (crud, days), (start, describe) = (block.splitlines() for block in _blocks(section))
    assert "Recommendation: inline." in _run(terminal, crud)
    decided = _run(terminal, days)
    assert "Recommendation: " in decided
    assert "Recommendation: inline" not in decided
    _run(terminal, start)
    until(lambda: "waits for      delivered" in _run(terminal, describe), "it waits for the carrier", 30)


def _idempotent(terminal: Terminal, section: str) -> None:
    (lines,) = (block.splitlines() for block in _blocks(section))
    first, second = (json.loads(_run(terminal, line)) for line in lines)
    other = json.loads(_run(terminal, lines[0].replace("--key checkout-129", "--key another")))
    assert first == second
    assert (first["charge_id"], other["charge_id"]) == ("ch-order-129-1", "ch-order-129-2")


def _signalled(terminal: Terminal, section: str) -> None:
    (script,) = _blocks(section, "python")
    (terminal.folder / "carrier.py").write_text(script)
    carrier, result = _blocks(section)[0].splitlines()
    _run(terminal, carrier)
    told = _run(terminal, result)
    assert "order-128 completed" in told
    assert 'delivered            {"orderId": "order-128"}' in told


def _compensated(terminal: Terminal, section: str) -> None:
    start, history = _blocks(section)[0].splitlines()
    assert "order-126 compensated" in _run(terminal, start, code=1)
    scheduled = re.findall(r"activity_task_scheduled +(\w+)", _run(terminal, history))
    assert scheduled[-3:] == ["cancel_shipment", "refund_payment", "release_inventory"]


def _observable(terminal: Terminal, section: str) -> None:
    describe, listing = _blocks(section)[0].splitlines()
    told = _run(terminal, describe).splitlines()
    assert told[0] == "order-126 compensated"
    assert re.match(r"  web UI +http://127\.0\.0\.1:\d+/namespaces/default/workflows/order-126/", told[-1])
    # The server's index of workflows may be a moment behind.
    until(lambda: "order-126" in _run(terminal, listing), "it is listed", 30)


def _configured(terminal: Terminal, section: str) -> None:
    (script,) = _blocks(section, "python")
    (terminal.folder / "patient.py").write_text(script)
    assert _run(terminal, "python patient.py").strip() in script
    start, history, contract = _blocks(section)[0].splitlines()
    assert "order-127 completed" in _run(terminal, start)
    assert "attempt 3" in _run(terminal, history)
    assert "3 passed" in _run(terminal, contract)
