"""Workers on another machine: nothing is shared but servers and a PostgreSQL."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bakeoff.processes import Launcher, scratch_folder
from bakeoff.servers import PostgresServer, Server, ValkeyServer, start_server
from bakeoff.world import World
from tests.cli.terminal import Terminal
from tests.tiers import thorough

pytestmark = pytest.mark.service


@pytest.fixture
def servers() -> Iterator[dict[str, str]]:
    """The user's own Valkey and PostgreSQL."""
    with scratch_folder("test") as scratch, Launcher(scratch / "logs") as launcher:
        own: list[Server] = [ValkeyServer("broker"), PostgresServer()]
        started = [asyncio.run(start_server(server, launcher, scratch)) for server in own]
        yield {server.server.kind: server.address for server in started}


def test_a_worker_elsewhere_takes_work_and_the_line_that_up_prints_starts_it(
    servers: dict[str, str], tmp_path: Path
) -> None:
    here, there = Terminal(_folder(tmp_path, "here")), Terminal(_folder(tmp_path, "there"))
    valkey, ledger = servers["valkey"], servers["postgresql"]
    own = ["--set", f"celery.broker_url={valkey}", "--set", f"celery.result_backend={valkey}"]
    with here.open(["up", "--engine", "celery", *own, "--ledger", ledger]) as up:
        up.wait_for("Ctrl-C stops everything.")
        line = re.search(r"^  (bakeoff worker .*--prefix .*)   \(elsewhere\)$", up.text, re.MULTILINE)
        assert line
        assert "postgres@" not in up.text
        with there.open(line.group(1).replace("***@", "postgres@")) as worker:
            worker.wait_for("is ready")
            done = here.run(["start", "order", "order-123", "--wait"])
            assert done.returncode == 0, done.stderr
            world = World.open(ledger)
            try:
                (seen,) = world.workers()
                assert len([r for r in world.ledger(workflow_id="order-123") if r.kind == "effect"]) == 4
            finally:
                world.close()
            assert seen.pid
    assert here.leftovers() == []
    assert there.leftovers() == []


@thorough
def test_an_address_by_role_is_enough(servers: dict[str, str], tmp_path: Path) -> None:
    here, there = Terminal(_folder(tmp_path, "here")), Terminal(_folder(tmp_path, "there"))
    here.environ["BAKEOFF_DRAMATIQ_BROKER_URL"] = servers["valkey"]
    place = ["--prefix", "mine-", "--ledger", servers["postgresql"]]
    with here.open(["up", "--engine", "dramatiq", *place]) as up:
        up.wait_for("Ctrl-C stops everything.")
        unknown = there.run(["worker", "-e", "dramatiq", *place, "--address", f"typo={servers['valkey']}"])
        assert unknown.returncode == 2
        assert "write ROLE=ADDRESS; dramatiq has broker" in unknown.stderr
        address = f"broker={servers['valkey']}"
        with there.open(["worker", "-e", "dramatiq", *place, "--address", address]) as worker:
            worker.wait_for("is ready")
            assert "order-123 completed" in here.run(["start", "order", "order-123", "--wait"]).stdout


def _folder(parent: Path, name: str) -> Path:
    (parent / name).mkdir()
    return parent / name
