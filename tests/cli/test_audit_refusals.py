"""Mistakes that used to be found out late, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from bakeoff.cli.main import run
from bakeoff.processes import Launcher, scratch_folder
from bakeoff.servers import PostgresServer, start_server
from bakeoff.world import World
from tests.cli.conftest import Refused
from tests.cli.terminal import Terminal
from tests.tiers import one_of


@pytest.mark.parametrize("json_", ["new/result.json", "new", "new/deep/../result.json"])
def test_json_and_out_that_are_in_each_others_way(refused: Refused, json_: str) -> None:
    assert f"--json {json_}: cannot be written" in refused(
        f"run -e inline --count 5 --out new --json {json_}"
    )


@pytest.mark.parametrize("file", ["no/such/folder.json", "."])
def test_numbers_of_speed_that_cannot_be_written(refused: Refused, file: str) -> None:
    assert f"--json {file}: cannot be written" in refused(f"bench speed --engine inline --json {file}")


@pytest.mark.parametrize("workflow_id", ["", "  "])
def test_an_empty_workflow_id(refused: Refused, workflow_id: str) -> None:
    assert "--id ''" in refused(["start", "order", "order-123", "--id", workflow_id])


def test_a_wrong_variable_is_named(refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAKEOFF_TEMPORAL_TLS", "maybe")

    message = refused("run --engine temporal")

    assert "BAKEOFF_TEMPORAL_TLS=maybe" in message
    assert "--set" not in message


@pytest.fixture
def used_ledger() -> Iterator[str]:
    """A PostgreSQL of the user's own that holds the ledger of an earlier run."""
    with scratch_folder("test") as scratch, Launcher(scratch / "logs") as launcher:
        address = asyncio.run(start_server(PostgresServer(), launcher, scratch)).address
        World.create(address).close()
        yield address


@pytest.mark.service
@pytest.mark.parametrize("command", ["run --engine celery --count 5", "up --engine celery"])
def test_a_used_ledger_is_found_before_anything_starts(
    home: Path, used_ledger: str, capfd: pytest.CaptureFixture[str], command: str
) -> None:
    assert run([*command.split(), "--ledger", used_ledger]) == 2

    printed = capfd.readouterr()
    assert printed.out == ""
    (line,) = printed.err.splitlines()  # so no engine was said to be starting
    assert "holds a ledger already; give an empty database" in line
    assert "postgres@" not in line
    assert "psycopg" not in line


@pytest.mark.service
@pytest.mark.parametrize("engine", one_of(["celery", "dramatiq", "temporal"]))
def test_no_time_at_all_is_time_for_one_question(terminal: Terminal, engine: str) -> None:
    with terminal.open(["up", "--engine", engine, "--config", "ci"]) as up:
        up.wait_for("Ctrl-C stops everything.")
        with terminal.open(["worker", "--engine", engine]) as worker:
            worker.wait_for("is ready")
            assert terminal.run(["start", "order", "order-123", "--wait"]).returncode == 0
            again = terminal.run(["start", "order", "order-123", "--wait", "--timeout", "0"])
            settled = terminal.run(["result", "order-123", "--timeout", "0"])
        terminal.run(["start", "order-approval", "order-128"])
        waits = terminal.run(["result", "order-128", "--timeout", "0"])

    assert "order-123 completed" in again.stdout, again.stderr
    assert "order-123 completed" in settled.stdout, settled.stderr
    assert waits.returncode == 1
    assert waits.stderr.splitlines()[-1] == "error: order-128 has not settled yet"
