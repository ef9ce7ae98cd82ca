"""``bakeoff load`` puts real engines under load and says what it measured."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from bakeoff_bench.load.folder import load_samples
from bakeoff_bench.load.histograms import Histograms
from tests.cli.terminal import Terminal
from tests.processes.traces import Traces, until
from tests.steady import run_steadily
from tests.tiers import thorough

pytestmark = [pytest.mark.service, pytest.mark.slow]

_SHORT = ["--duration", "6", "--warm-up", "1", "--rounds", "1", "--json", "load.json"]


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path)


def _result(terminal: Terminal) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((terminal.folder / "load.json").read_text())
    return found


@thorough
def test_two_engines_side_by_side(terminal: Terminal) -> None:
    """On a busy machine a round may be void, and then it says so; what happened is judged in any case."""
    line = [
        "load",
        "--engine",
        "inline",
        "--engine",
        "dramatiq",
        "--broker",
        "valkey",
        "--rate",
        "8",
        *_SHORT,
    ]
    done = terminal.run([*line, "--out", "kept"])
    result = _result(terminal)

    assert done.returncode in (0, 1), done.stderr
    assert result["validity"] == "valid", done.stdout
    assert result["complete"] is True
    assert result["command"].startswith("bakeoff load --engine inline --engine dramatiq ")
    assert result["plan"]["seed"] == 1
    assert {"git", "machine", "machine_speed", "bakeoff"} <= result.keys()
    blocks = {block["contestant"]: block for block in result["blocks"]}
    assert set(blocks) == {"inline", "dramatiq[valkey]"}
    idle = [
        json.loads(line)["idle_others_cpu_s"]
        for line in (terminal.folder / "kept" / "loads.jsonl").read_text().splitlines()
    ]
    assert max(idle) < 0.05, "whoever has no turn stands still"
    void = [name for name, block in blocks.items() if block["void"]]
    assert done.returncode == (1 if void else 0), done.stdout
    for name in blocks:
        assert name not in void or "rounds are left out" in done.stdout
        about = result["contestants"][name]
        loads = terminal.folder / "kept" / about["slug"] / "loads"
        (checked,), (folder,) = loads.glob("c*"), loads.glob("r*")
        samples = load_samples(folder)
        assert len(samples) + len(load_samples(checked)) == sum(about["counts"].values())
        assert all(one.settled_s is not None and one.told_s is not None for one in samples)
        settled = sum(
            Histograms.load(folder).count(key) for key in Histograms.load(folder) if key.endswith("-settled")
        )
        assert settled == sum(one.intended_s >= 1 for one in samples)
        assert not (terminal.folder / "kept" / about["slug"] / "deployment.json").exists()
    assert terminal.leftovers() == []
    again = terminal.run(["check", "kept", "--json", "again.json"])
    assert again.returncode == done.returncode, again.stderr
    assert json.loads((terminal.folder / "again.json").read_text())["blocks"] == result["blocks"]


@thorough
def test_rounds_that_do_not_fit_are_not_begun(terminal: Terminal) -> None:
    """However short the time: two are made, or nothing could be compared."""
    line = ["load", "--engine", "inline", "--rate", "20", "--duration", "2", "--rounds", "20"]
    done = terminal.run([*line, "--within", "0.01", "--json", "load.json"])

    assert "2 of 20 rounds: one more would not be over in time (--within)" in done.stdout
    result = _result(terminal)
    assert [block["rounds"] for block in result["blocks"]] == [2]
    assert (result["rounds_in_time"]["made"], result["rounds_in_time"]["planned"]) == (2, 20)


def test_a_worker_is_killed_under_load(terminal: Terminal) -> None:
    done = terminal.run(
        [
            *("load", "--scenario", "order-worker-crash", "--engine", "dramatiq", "--broker", "valkey"),
            *("--config", "ci", "--rate", "6", "--duration", "14", "--warm-up", "1", "--rounds", "1"),
            *("--arm-after", "4", "--json", "load.json", "--out", "kept"),
        ]
    )
    result = _result(terminal)
    rows = [json.loads(line) for line in (terminal.folder / "kept" / "loads.jsonl").read_text().splitlines()]
    checked, row = rows
    fault = row["measured"]["fault"]

    assert result["validity"] == "valid", done.stdout
    assert (checked["phase"], checked["measured"]["fault"]) == ("check", {})
    assert fault["fault"] == "worker-kill:charge_payment.after_effect"
    assert fault["missed"] == ""
    assert fault["at_s"] > 4
    assert fault["in_flight"] >= 1
    assert fault["in_flight_lost"] == 0
    assert 0 < fault["silent_s"] <= fault["recovery_s"]
    assert fault["open_after"] > fault["open_before"]
    assert terminal.leftovers() == []


@thorough
def test_a_closed_loop_is_labelled_so(terminal: Terminal) -> None:
    done = terminal.run(["load", "--engine", "inline", "--closed", "4", *_SHORT])
    result = _result(terminal)
    (block,) = result["blocks"]

    assert done.returncode == 0, done.stderr + done.stdout
    assert block["users"] == 4
    assert result["contestants"]["inline"]["left"] == {"prefix": "", "external": []}
    rows = [line.split() for line in done.stdout.splitlines()]
    assert any(row[:5] == ["inline", "4", "in", "flight", "closed"] for row in rows), done.stdout
    assert result["world"]["orders_per_s"] > 100
    assert result["contestants"]["inline"]["throughput_per_s"] == block["settled_per_s_of_rounds"][0]
    assert "services and ledger alone: " in done.stdout, "what every throughput stands against"


def test_parked_sagas_count_from_their_approval(terminal: Terminal) -> None:
    line = ["load", "--scenario", "approval-parked", "--engine", "inline", "--rate", "5", *_SHORT]
    done = run_steadily(terminal, line)
    (block,) = _result(terminal)["blocks"]

    assert done.returncode == 0, done.stderr + done.stdout
    assert block["latencies"]["order-approval-completed-settled"]["p50"] < 5


@thorough
def test_the_users_own_shape(terminal: Terminal) -> None:
    """Three seconds at 10 per second, three at 2; the load is as long as the shape."""
    (terminal.folder / "my_shape.py").write_text(
        "from locust import LoadTestShape\n\n\n"
        "class Steps(LoadTestShape):\n"
        "    def tick(self):\n"
        "        at_s = self.get_run_time()\n"
        "        return None if at_s >= 6 else ((10 if at_s < 3 else 2), 1)\n"
    )
    line = ["load", "--engine", "inline", "--shape", "my_shape:Steps", "--arrivals", "constant"]
    done = terminal.run([*line, "--warm-up", "1", "--rounds", "1", "--json", "load.json", "--out", "kept"])
    (block,) = _result(terminal)["blocks"]

    assert done.returncode == 0, done.stderr + done.stdout
    assert block["arrived"] + block["warm_up"] == 36
    assert block["warm_up"] == 10


def test_ctrl_c_keeps_what_was_measured_and_leaves_nothing(terminal: Terminal) -> None:
    line = ["load", "--engine", "dramatiq", "--broker", "valkey", "--rate", "5", "--duration", "4"]
    with terminal.open([*line, "--warm-up", "1", "--rounds", "30", "--out", "kept"]) as command:
        command.wait_for("starting dramatiq[valkey]")
        loads = terminal.folder / "kept" / "loads.jsonl"
        until(lambda: loads.exists() and bool(loads.read_text()), "a load is over", 60)
        traces = Traces(command.popen.pid)
        code = command.interrupt(signal.SIGINT)
        said = command.text

    assert code == 128 + signal.SIGINT
    assert "broken off; kept in kept" in said
    assert not traces.alive()
    assert not traces.held_ports()
    assert terminal.leftovers() == []
    assert terminal.run(["check", "kept"]).returncode == 1, "broken off: not every saga had its time"
