"""docs/operate.md and docs/engines/temporal.md: a server of one's own, and sagas that came to no end."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from redis import Redis

from bakeoff.cli.state import read_state
from bakeoff.processes import free_ports
from tests.cli.terminal import Terminal
from tests.docs.fences import block_of, lines_of
from tests.processes.traces import until
from tests.tiers import thorough

pytestmark = [pytest.mark.service, pytest.mark.timeout(300)]

_STARTED, _UP = lines_of(block_of("docs/operate.md", "temporal server start-dev"))
_README = block_of("README.md", "bakeoff up --engine temporal --set").text
_EXPORT, _RUN = lines_of(block_of("docs/engines/temporal.md", "export BAKEOFF_TEMPORAL_ADDRESS"))
_UP_WITH_PAGE = block_of("docs/engines/temporal.md", "bakeoff up --engine temporal").text
_STUCK, _REDRIVE, _LETTERS = lines_of(block_of("docs/operate.md", "bakeoff stuck"))
_SMALL_RUN = "--only sagas --count 3 --rounds 1"
_PATIENT = "--older-than 1"


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path)


@contextmanager
def _somebodys_server(terminal: Terminal) -> Iterator[dict[str, str]]:
    """As the page starts it, on ports that are free here and now; ``{address of the page: address here}``."""
    port, http, metrics, page = free_ports(4)
    ports = f"--port {port} --http-port {http} --metrics-port {metrics} --ui-port {page} --ip 127.0.0.1"
    address = f"127.0.0.1:{port}"
    with terminal.open(f"{_STARTED} {ports} --log-level error"):
        until(
            lambda: terminal.run(f"temporal workflow list --address {address}").returncode == 0,
            "the dev server answers",
            60,
        )
        yield {"127.0.0.1:7233": address, "127.0.0.1:8233": f"127.0.0.1:{page}"}


def _there(line: str, addresses: dict[str, str]) -> str:
    for written, meant in addresses.items():
        line = line.replace(written, meant)
    return line


@thorough
def test_a_temporal_server_of_your_own(terminal: Terminal) -> None:
    """What the pages say about it: up with it, its web page, and a run on it, by the environment."""
    assert _README == _UP
    with _somebodys_server(terminal) as addresses:
        with terminal.open(_there(_UP, addresses)) as up:
            up.wait_for("Ctrl-C stops everything.")
            assert ", yours)" in up.text
        with terminal.open(_there(_UP_WITH_PAGE, addresses)) as up:
            up.wait_for("Ctrl-C stops everything.")
            assert _do(terminal, "bakeoff start order order-123").returncode == 0
            page = f"http://{addresses['127.0.0.1:8233']}/namespaces/default/workflows/"
            assert page in _do(terminal, "bakeoff describe order-123").stdout
        ran = terminal.run(f"{_there(_EXPORT, addresses)}\n{_RUN} {_SMALL_RUN}")

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "valid" in ran.stdout
    assert terminal.leftovers() == []


def test_a_saga_that_came_to_no_end(terminal: Terminal) -> None:
    """The queue has lost its message before a worker came; it is found, and goes on."""
    with terminal.open("bakeoff up --engine dramatiq --config ci") as up:
        up.wait_for("Ctrl-C stops everything.")
        assert _do(terminal, "bakeoff start order order-126").returncode == 0
        _lose_every_message(terminal)
        with terminal.open("bakeoff worker") as worker:
            worker.wait_for("is ready")
            until(
                lambda: "order-126 (order) stuck" in _do(terminal, f"{_STUCK} {_PATIENT}").stdout,
                "it is stuck",
            )
            assert _do(terminal, f"{_STUCK} {_PATIENT}").returncode == 1
            redriven = _do(terminal, f"{_REDRIVE} {_PATIENT}")
            assert redriven.returncode == 0, redriven.stdout + redriven.stderr
            assert "order-126 compensated" in redriven.stdout
            assert _do(terminal, _STUCK).returncode == 0
            letters = _do(terminal, _LETTERS)
            assert letters.returncode == 0, letters.stdout
            assert "no dead letter needs a person" in letters.stdout
    assert terminal.leftovers() == []


def _do(terminal: Terminal, line: str) -> CompletedProcess[str]:
    program, *arguments = shlex.split(line)
    assert program == "bakeoff"
    return terminal.run_here(arguments)


def _lose_every_message(terminal: Terminal) -> None:
    deployment = read_state(terminal.folder / ".bakeoff").deployment(None)
    with Redis.from_url(deployment.addresses["broker"]) as valkey:
        for key in valkey.scan_iter("*"):
            if b"saga:" not in key:
                valkey.delete(key)
