"""The locustfile under Locust itself: alone, and with processes."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path

import pytest

from bakeoff.processes import free_ports
from bakeoff_bench.load.folder import load_samples
from bakeoff_scenarios import Leg, moments
from tests.load.locusts import DRAMATIQ, LOCUSTFILE, accounted, code_of, locust, played, row, sent
from tests.processes.traces import until
from tests.tiers import more, thorough

pytestmark = [pytest.mark.service, pytest.mark.slow]

_LOAD = ["--engine", "inline", "--rate", "6", "--duration", "5"]


def _processes(number: int) -> list[str]:
    port = str(free_ports(1)[0])
    return ["--processes", str(number), "--master-port", port, "--master-bind-port", port]


def test_alone(tmp_path: Path) -> None:
    """What came in the warm-up is judged, and left out of the numbers."""
    it = played(tmp_path, [*_LOAD, "--arrivals", "constant", "--warm-up", "1.05s"])
    said = it.said

    assert it.process.returncode == 0, said
    rows = re.findall(r"saga +order-accepted +(\d+)", said)
    assert [int(rows[0])] == sent(said) == [accounted(said)]
    counted = [at_s for at_s in moments([Leg(5.0, 6.0, 6.0)], "constant") if at_s >= 1.05]
    n, p50, *_, p95, p99 = row(said, "order-accepted")
    assert int(n) == len(counted)
    assert float(p50.removesuffix(" !")) < 5  # marked so where the engine did not keep up
    assert (p95, p99) == ("too few", "too few")
    assert "Traceback" not in said
    assert list(it.temporary.iterdir()) == []


@thorough
def test_with_two_processes(tmp_path: Path) -> None:
    with locust(tmp_path / "it", [*_LOAD, *_processes(2)]) as it:
        said = it.end()

    assert it.process.returncode == 0, said
    assert sum(sent(said)) == accounted(said)
    assert len(sent(said)) == 2
    assert "Traceback" not in said
    assert list(it.temporary.iterdir()) == []


@thorough
def test_over_a_bridge(tmp_path: Path) -> None:
    """Services of their own bear it; the generator's steps only ask them."""
    it = played(tmp_path, [*_LOAD, "--bridge", "nats"])
    said = it.said

    assert it.process.returncode == code_of(said), said
    assert "inline over nats is up" in said
    assert "load 1: order-steady on inline over nats, " in said
    assert accounted(said) == sum(sent(said)) > 10
    assert "Traceback" not in said
    assert list(it.temporary.iterdir()) == []


@thorough
def test_a_real_engine_after_the_fork(tmp_path: Path) -> None:
    """Its client has threads and connections, which do not survive one; so each process makes its own."""
    load = [*DRAMATIQ, "--rate", "8", "--duration", "5", *_processes(2), "--out", "kept"]
    it = played(tmp_path, load)
    said = it.said
    kept = [load_samples(folder) for folder in sorted(it.folder.glob("kept/load-1/generator-*"))]

    assert it.process.returncode == code_of(said), said
    assert [len(samples) for samples in kept] == sent(said)
    assert all(one.told_s is not None for samples in kept for one in samples)
    assert sum(sent(said)) == accounted(said)
    assert min(sent(said)) > 5
    assert "Traceback" not in said
    assert list(it.temporary.iterdir()) == []


@thorough
def test_ctrl_c_at_a_terminal_reaches_all_processes(tmp_path: Path) -> None:
    """Each is interrupted, and told by the master, too; every saga that was sent is known all the same."""
    with locust(tmp_path / "it", [*DRAMATIQ, "--rate", "8", "--duration", "60", *_processes(2)]) as it:
        until(lambda: len(it.files("*/load-1/*/samples.jsonl")) == 2, "both have sent", 100)
        os.killpg(it.process.pid, signal.SIGINT)
        said = it.end()

    assert it.process.returncode == 0, said
    assert accounted(said) == sum(sent(said)) > 0
    assert "it did not come to its end, so there are no numbers" in said
    assert "Traceback" not in said
    assert list(it.temporary.iterdir()) == []


@thorough
def test_a_generator_that_did_not_keep_up_voids_its_load(tmp_path: Path) -> None:
    with locust(tmp_path / "it", [*DRAMATIQ, "--rate", "10", "--duration", "8"]) as it:
        until(lambda: bool(it.files("*/load-1/samples.jsonl")), "the load has begun", 100)
        it.process.send_signal(signal.SIGSTOP)
        time.sleep(1.5)  # an eighth of its arrivals are late
        it.process.send_signal(signal.SIGCONT)
        said = it.end()

    assert re.search(r"^void: starts were up to \d+ ms late \(99th percentile\)$", said, re.MULTILINE), said
    assert accounted(said) == sum(sent(said))
    assert it.process.returncode == 1, said


@thorough
def test_the_users_own_shape(tmp_path: Path) -> None:
    """Three seconds at 4 per second, three at 8; it lies where the command was typed."""
    folder = tmp_path / "it"
    folder.mkdir()
    (folder / "my_shape.py").write_text(
        "from locust import LoadTestShape\n\n\n"
        "class Stairs(LoadTestShape):\n"
        "    def tick(self):\n"
        "        at_s = self.get_run_time()\n"
        "        return None if at_s >= 6 else ((4 if at_s < 3 else 8), 1)\n"
    )
    line = ["--engine", "inline", "--shape", "my_shape:Stairs", "--arrivals", "constant"]
    with locust(folder, line) as it:
        said = it.end()

    assert it.process.returncode == 0, said
    assert "my_shape:Stairs, 6 s, constant arrivals: 36 sagas" in said
    assert accounted(said) == 36


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--scenario", "order-stedy"], "Did you mean 'order-steady'?"),
        (["--engine", "temporall"], "'temporall' is not installed"),
        more(["--rate", "0.01", "--duration", "2"], "starts no saga at all"),
        more(["--duration", "soon"], "'soon' is no time"),
        (["--out", str(LOCUSTFILE.parent)], "it is there already; name a new folder"),
    ],
)
def test_a_mistake_is_told_in_a_line(tmp_path: Path, arguments: list[str], why: str) -> None:
    with locust(tmp_path / "it", arguments) as it:
        said = it.end()

    assert it.process.returncode == 2, said
    assert why in said
    assert "Traceback" not in said
    assert list(it.temporary.iterdir()) == []
