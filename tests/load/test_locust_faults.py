"""Faults in the middle of a load under Locust: who owns the engine strikes, whoever makes the load."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bakeoff.processes import free_ports
from tests.load.locusts import DRAMATIQ, accounted, cluster, code_of, locust, sent
from tests.tiers import thorough

pytestmark = [pytest.mark.service, pytest.mark.slow]

_WORKER = [
    "--scenario",
    "order-worker-crash",
    *DRAMATIQ,
    "--rate",
    "6",
    "--duration",
    "14",
    "--arm-after",
    "4",
]
_SERVER = [
    "--scenario",
    "order-server-crash",
    *DRAMATIQ,
    "--rate",
    "6",
    "--duration",
    "14",
    "--arm-after",
    "4",
]


def _struck(said: str, fault: str) -> tuple[float, float]:
    """Seconds after the load's beginning, and of silence."""
    found = re.search(
        rf"^fault {fault}:charge_payment\.after_effect: struck after (\S+) s \(.*\), [1-9]\d* in flight, "
        r"0 of them lost; silence (\S+) s; ",
        said,
        re.MULTILINE,
    )
    assert found, said
    return float(found[1]), float(found[2])


def test_a_worker_is_killed_under_load(tmp_path: Path) -> None:
    with locust(tmp_path / "it", _WORKER) as it:
        said = it.end()
    after_s, silent_s = _struck(said, "worker-kill")

    assert 4 <= after_s < 14
    assert silent_s > 0
    assert accounted(said) == sum(sent(said))
    assert it.process.returncode == code_of(said), said
    assert list(it.temporary.iterdir()) == []


@thorough
def test_a_worker_is_killed_under_a_load_that_others_make(tmp_path: Path) -> None:
    """The generators tell the master when they began; the fault hits the sagas of both."""
    with cluster(tmp_path, _WORKER) as (master, workers):
        said = master.end()
        codes = [worker.process.wait(30) for worker in workers]

    assert 4 <= _struck(said, "worker-kill")[0] < 14
    assert len(sent(said)) == 2
    assert accounted(said) == sum(sent(said))
    assert (master.process.returncode, codes) == (code_of(said), [0, 0]), said


@thorough
def test_a_server_is_killed_under_load_with_two_processes(tmp_path: Path) -> None:
    port = str(free_ports(1)[0])
    processes = ["--processes", "2", "--master-port", port, "--master-bind-port", port]
    with locust(tmp_path / "it", [*_SERVER, *processes]) as it:
        said = it.end()

    assert 4 <= _struck(said, "server-kill")[0] < 14
    assert len(sent(said)) == 2
    assert accounted(said) == sum(sent(said))
    assert it.process.returncode == code_of(said), said


def test_a_fault_that_does_not_strike_voids_its_load(tmp_path: Path) -> None:
    """The inline engine has no workers to kill: the ledger is valid, and the load not what was asked for."""
    load = ["--engine", "inline", "--rate", "6", "--duration", "5"]
    with locust(tmp_path / "it", [*load, "--fault", "worker-kill:charge_payment.after_effect"]) as it:
        said = it.end()

    assert re.search(r"^fault worker-kill:charge_payment\.after_effect: missed: \S", said, re.MULTILINE), said
    assert re.search(r"^void: the fault did not strike: \S", said, re.MULTILINE), said
    assert accounted(said) == sum(sent(said))
    assert it.process.returncode == 1, said
