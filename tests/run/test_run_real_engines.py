"""``bakeoff run`` on engines with servers and worker processes of their own."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import pytest
import redis

from bakeoff.plugins import Plugins
from bakeoff.processes import Launcher
from bakeoff.servers import ValkeyServer, start_server
from tests.run.conftest import Command
from tests.tiers import one_of

WITH_WORKERS = [name for name in Plugins().engine_names() if not Plugins().engine(name).info().in_process]

pytestmark = [pytest.mark.service, pytest.mark.slow]


@pytest.mark.parametrize("engine", one_of(WITH_WORKERS, "temporal"))
def test_orders_come_to_the_expected_numbers(bakeoff: Command, engine: str) -> None:
    ran = bakeoff(
        "run",
        "--only",
        "sagas",
        "--engine",
        engine,
        "--count",
        "40",
        "--seed",
        "3",
        "--rounds",
        "1",
        "--config",
        "ci",
    )

    assert ran.code == 0, ran.out


@pytest.mark.parametrize("engine", one_of(WITH_WORKERS, "dramatiq"))
def test_scarce_units_are_never_oversold_by_racing_workers(bakeoff: Command, engine: str) -> None:
    scarcity = ("--scenario", "scarcity", "--count", "30", "--rounds", "1", "--workers", "2")
    ran = bakeoff("run", "--only", "sagas", "--engine", engine, *scarcity)

    assert ran.code == 0, ran.out
    assert ran.result["engines"][engine]["counts"]["completed"] == 10


def test_engines_take_turns_and_come_to_the_same_numbers(bakeoff: Command) -> None:
    ran = bakeoff(
        "run",
        "--only",
        "sagas",
        "--engine",
        "inline",
        "--engine",
        WITH_WORKERS[0],
        "--count",
        "30",
        "--rounds",
        "3",
    )
    engines = ran.result["engines"]

    assert ran.code == 0, ran.out
    assert [len(engines[name]["blocks"]) for name in engines] == [3, 3]
    assert len({tuple(one["counts"].values()) for one in engines.values()}) == 1
    assert engines["inline"]["blocks"][1]["idle_others_cpu_s"] >= 0


@pytest.mark.skipif(
    shutil.which("rabbitmq-server") is None and "CI" not in os.environ,
    reason="not supported here: rabbitmq-server is not installed",
)
@pytest.mark.parametrize("engine", one_of(["celery", "dramatiq"], "celery"))
def test_queues_on_rabbitmq_come_to_the_expected_numbers(bakeoff: Command, engine: str) -> None:
    orders = ("--count", "40", "--rounds", "1", "--config", "ci")
    ran = bakeoff("run", "--only", "sagas", "--engine", engine, "--set", f"{engine}.broker=rabbitmq", *orders)

    assert ran.code == 0, ran.out


@pytest.mark.parametrize("engine", one_of(["celery", "dramatiq"], "dramatiq"))
def test_server_of_the_users_keeps_what_is_his(bakeoff: Command, tmp_path: Path, engine: str) -> None:
    """On a server that bakeoff did not start every name is prefixed, and nothing else is touched."""
    with Launcher(tmp_path / "logs") as launcher:
        server = asyncio.run(start_server(ValkeyServer(role="mine"), launcher, tmp_path))
        with redis.Redis.from_url(server.address, decode_responses=True) as mine:
            mine.set("precious", "kept")
            orders = ("--count", "20", "--rounds", "1")
            ran = bakeoff(
                "run",
                "--only",
                "sagas",
                "--engine",
                engine,
                "--set",
                f"{engine}.broker_url={server.address}",
                *orders,
            )
            keys = {str(key) for key in mine.scan_iter()}
            kept = mine.get("precious")
        server_lives = server.child is not None and server.child.alive

    assert ran.code == 0, ran.out + ran.err
    assert kept == "kept"
    assert server_lives
    assert [key for key in keys - {"precious"} if "bakeoff-" not in key] == []


def test_server_that_does_not_come_up_is_told_with_its_log_and_leaves_nothing(
    bakeoff: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first engine was up already; the run that could not begin as a whole is gone all the same."""
    program = tmp_path / "valkey-server"
    program.write_text("#!/bin/sh\necho no memory for you; exit 3\n")
    program.chmod(0o755)
    monkeypatch.setattr("bakeoff.servers.valkey.valkey_binary", lambda: str(program))
    out = tmp_path / "run"
    ran = bakeoff(
        "run",
        "--only",
        "sagas",
        "--engine",
        "inline",
        "--engine",
        "celery",
        "--count",
        "8",
        "--out",
        str(out),
        json_=False,
    )

    assert ran.code == 2
    assert "valkey ended at once (exit code 3)" in ran.err
    assert "no memory for you" in ran.err
    assert not out.exists()


def test_ledger_in_postgresql_is_kept_as_a_file(bakeoff: Command, tmp_path: Path) -> None:
    """The server is gone after the run; its ledger can be judged again all the same."""
    out = tmp_path / "run"
    orders = ("--count", "30", "--rounds", "1", "--seed", "3")
    ran = bakeoff(
        "run", "--only", "sagas", "--engine", "inline", "--ledger", "postgres", *orders, "--out", str(out)
    )
    again = bakeoff("check", str(out))

    assert ran.code == 0, ran.out + ran.err
    assert ran.result["engines"]["inline"]["versions"]["postgresql (ledger)"]
    assert again.result == ran.result
