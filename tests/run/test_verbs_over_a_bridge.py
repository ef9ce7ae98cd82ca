"""``--bridge nats`` on the verbs that bring engines up for experiments, and what refuses it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from bakeoff.world import Record, World
from bakeoff.world.database import file_url
from tests.cli.conftest import Refused, home, refused
from tests.cli.terminal import Terminal
from tests.tiers import more, thorough

__all__ = ["home", "refused"]  # fixtures of the command line's own tests

_VALKEY = ["--set", "dramatiq.broker=valkey"]


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path)


def _json(terminal: Terminal) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((terminal.folder / "found.json").read_text())
    return found


def _ledger(file: Path) -> list[Record]:
    world = World.open(file_url(file))
    try:
        return list(world.ledger())
    finally:
        world.close()


def _acted_elsewhere(records: list[Record]) -> bool:
    """Whether services, and not workers, did what workers attempted."""
    attempted = {record.pid for record in records if record.kind == "attempt"}
    acted = {record.pid for record in records if record.kind == "effect"}
    return bool(acted) and not acted & attempted


@thorough
@pytest.mark.service
@pytest.mark.slow
@pytest.mark.parametrize(
    ("ordeal", "size"),
    [("code-change", 10), more("backlog", 20), more("parked", 20), more("noisy-neighbour", 10)],
)
def test_an_ordeal_over_services(terminal: Terminal, ordeal: str, size: int) -> None:
    """Also when everything is restarted, or version 2 brings a command that no service knew before."""
    line = ["ordeal", ordeal, "--engine", "dramatiq", *_VALKEY, "--config", "ci", "--size", str(size)]
    done = terminal.run([*line, "--bridge", "nats", "--out", "kept", "--json", "found.json"], within_s=240)

    assert done.returncode == 0, done.stdout + done.stderr
    assert _json(terminal)["bridge"] == "nats"
    assert re.search(rf"^{ordeal} on dramatiq over nats \(class ci\): about \d+ s", done.stdout, re.MULTILINE)
    left = r"(about \d+ (s|min) left|longer than expected)"
    assert re.search(rf"^{ordeal}, dramatiq, {left}: ", done.stdout, re.MULTILINE)
    assert _acted_elsewhere(_ledger(terminal.folder / "kept" / ordeal / "dramatiq" / "world.db"))
    assert terminal.leftovers() == []


@thorough
@pytest.mark.service
@pytest.mark.slow
def test_a_sweep_over_services(terminal: Terminal) -> None:
    line = ["sweep", "--engine", "dramatiq", "--broker", "valkey", "--vary", "heartbeat_timeout_s=1,2"]
    line += ["--fault", "service-kill", "--point", "charge_payment.command_done", "--kills", "1"]
    done = terminal.run([*line, "--bridge", "nats", "--no-report", "--json", "found.json"], within_s=240)

    assert done.returncode == 0, done.stdout + done.stderr
    kills = {kill["contestant"]: kill["outcome"] for kill in _json(terminal)["kills"]}
    assert kills == {
        f"dramatiq[valkey, heartbeat_timeout_s={seconds}] over nats": "would have duplicated"
        for seconds in (1, 2)
    }


@thorough
@pytest.mark.service
@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_search_over_services(terminal: Terminal) -> None:
    """On a busy machine it may come to nothing, and then it says so; what was played had services."""
    line = ["tune", "--engine", "dramatiq", *_VALKEY, "--knob", "processes", "--bridge", "nats"]
    line += ["--duration", "2", "--rounds", "2", "--confirm", "2", "--slots", "2", "--closed", "4"]
    done = terminal.run([*line, "--out", "kept", "--json", "found.json"], within_s=300)

    found = _json(terminal)["dramatiq"]
    assert done.returncode == (0 if found["valid"] and found["decided"] else 1), done.stdout + done.stderr
    assert re.search(r"^dramatiq, (about .* left|longer than expected): ", done.stdout, re.MULTILINE)
    ledgers = list((terminal.folder / "kept" / "dramatiq").rglob("world.db"))
    assert ledgers
    assert all(_acted_elsewhere(_ledger(file)) for file in ledgers)
    if (file := terminal.folder / "bakeoff-tuned.toml").exists():
        assert 'bridge = "nats"' in file.read_text()


@thorough
@pytest.mark.slow
def test_benchmarks_over_services(tmp_path: Path) -> None:
    from tests.bench_suite.suite import TINY, pytest_bench

    ran = pytest_bench(*TINY, "-k", "one_saga", "--bridge", "nats", json_file=tmp_path / "nats.json")

    assert ran.code == 0, ran.out + ran.err
    (one,) = ran.benchmarks.values()
    assert one["name"] == "test_one_saga[inline[recommended] over nats]"
    assert one["extra_info"]["bridge"] == "nats"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (
            "ordeal backlog -e dramatiq --bridge nats://127.0.0.1:4222",
            "no ordeal is done on a server that ba",
        ),
        (
            "ordeal backlog -e dramatiq --bridge amqp",
            "--bridge amqp: there is no such bridge",
        ),
        (
            "sweep -e dramatiq --vary heartbeat_timeout_s=1,2 --bridge nats://127.0.0.1:4222",
            "nothing is killed on a server that bakeoff did not start",
        ),
        ("sweep durability --bridge amqp", "--bridge amqp: there is no such bridge"),
        ("tune -e dramatiq --bridge amqp", "--bridge amqp: there is no such bridge"),
        ("serve PaymentService --bridge amqp", "--bridge amqp: there is no such bridge"),
    ],
)
def test_a_bridge_that_cannot_be(refused: Refused, line: str, reason: str) -> None:
    assert reason in refused(line)


@pytest.mark.service
@pytest.mark.slow
def test_a_service_says_which_bridge_it_takes_its_deployment_to_have(terminal: Terminal) -> None:
    with terminal.open(["up", "--engine", "dramatiq", "--bridge", "nats"]) as up:
        up.wait_for("Ctrl-C stops everything.")
        with terminal.open("bakeoff serve PaymentService --bridge nats") as service:
            service.wait_for("serving PaymentService (pid ")
        for given in ("in-process", "nats://127.0.0.1:1"):
            refusal = terminal.run_here(["serve", "PaymentService", "--bridge", given])
            assert refusal.returncode == 2
            said, address = refusal.stderr.split(" nats at ")
            assert said == f"error: --bridge {given}: dramatiq is up with another one,"
            assert re.fullmatch(r"nats://127\.0\.0\.1:\d+; leave the option out, or say that one\n", address)
    with terminal.open(["up", "--engine", "dramatiq"]) as up:
        up.wait_for("Ctrl-C stops everything.")
        refusal = terminal.run_here(["serve", "PaymentService", "--bridge", "nats"])
        assert refusal.returncode == 2
        assert refusal.stderr.startswith("error: dramatiq is up without a bridge: ")
    assert terminal.leftovers() == []
