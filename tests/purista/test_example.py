"""docs/purista.md, its command lines run as they stand there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from examples.purista.node import Node

from tests.cli.terminal import Terminal

pytestmark = [pytest.mark.service, pytest.mark.slow, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "purista.md").read_text()
BLOCKS = [block.strip().splitlines() for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)]
(UP, WORKER, SERVE, START), (ASK,), (PYTHON, PAYMENT, MIXED), (CONFIRM,) = BLOCKS


@pytest.fixture
def terminal(tmp_path: Path, node: Node) -> Iterator[Terminal]:
    """In a checkout, with a folder of its own to work in."""
    opened = Terminal(tmp_path, {"PYTHONPATH": str(ROOT)})
    yield opened
    assert opened.leftovers() == []


def _answer(terminal: Terminal, line: str) -> Any:
    done = terminal.run(line)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _completes(terminal: Terminal, line: str) -> None:
    done = terminal.run(line)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "completed" in done.stdout


def test_the_lines_of_the_page(terminal: Terminal) -> None:
    with ExitStack() as terminals:
        terminals.enter_context(terminal.open(UP)).wait_for("Ctrl-C stops everything.")
        terminals.enter_context(terminal.open(WORKER)).wait_for("is ready")
        with terminal.open(SERVE) as services:
            services.wait_for("Ctrl-C stops it.")
            _completes(terminal, START)
            assert _answer(terminal, ASK)["records"] == [
                {"kind": "charge", "recordId": "charge-order-123-1", "state": "captured"}
            ]
            assert _answer(terminal, CONFIRM)["orderId"] == "order-123"
            declined = terminal.run(CONFIRM.replace("123", "129").replace("carrier-1", "carrier-2"))
            assert declined.returncode == 1
            assert "declined (409): order order-129 has no shipment under way" in declined.stderr
        with terminal.open(PYTHON) as others, terminal.open(PAYMENT) as payments:
            others.wait_for("Ctrl-C stops it.")
            payments.wait_for("serving PaymentService (")
            _completes(terminal, MIXED)
            assert _answer(terminal, ASK.replace("123", "128"))["effects"][0]["kind"] == "effect"


def test_without_a_deployment_it_says_so(terminal: Terminal) -> None:
    done = terminal.run(SERVE)

    assert done.returncode == 1
    assert "nothing is up in .bakeoff" in done.stderr
