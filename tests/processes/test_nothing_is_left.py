"""After success, failure, Ctrl-C and SIGTERM nothing is left; after SIGKILL no process and no port."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.cli.terminal import Background, Terminal
from tests.processes.traces import Traces, until
from tests.tiers import more

pytestmark = [pytest.mark.service]

TakeTraces = Callable[[int], Traces]
READY = "Ctrl-C stops everything."


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path)


def _processes(traces: Traces, *words: str) -> list[psutil.Process]:
    return [
        process for process in traces.processes if any(word in " ".join(process.cmdline()) for word in words)
    ]


def _nothing_is_left(terminal: Terminal, *held: Traces) -> None:
    for traces in held:
        assert traces.alive() == []
        assert traces.held_ports() == []
    assert terminal.leftovers() == []


@pytest.mark.parametrize(
    ("engine", "number", "code"),
    [
        pytest.param("temporal", signal.SIGINT, 130, id="ctrl-c-temporal"),
        more("celery", signal.SIGINT, 130, id="ctrl-c-celery"),
        more("dramatiq", signal.SIGINT, 130, id="ctrl-c-dramatiq"),
        # No engine sees which signal it was: the harness makes a Ctrl-C of the others.
        more("dramatiq", signal.SIGTERM, 143, id="sigterm"),
        more("dramatiq", signal.SIGHUP, 129, id="closed terminal"),
    ],
)
def test_an_interrupted_deployment_with_workers_leaves_nothing(
    terminal: Terminal, traces: TakeTraces, engine: str, number: int, code: int
) -> None:
    with terminal.open(["up", "--engine", engine]) as up:
        up.wait_for(READY)
        with terminal.open(["worker", "--engine", engine, "--processes", "2"]) as worker:
            worker.wait_for("2 worker processes are ready")
            started = terminal.run_here(["start", "order", "order-123", "--wait", "--engine", engine])
            assert started.returncode == 0, started.stderr
            held = traces(worker.popen.pid), traces(up.popen.pid)
            assert held[1].ports

            assert worker.interrupt(number) == code
        assert up.interrupt(number) == code

    _nothing_is_left(terminal, *held)


def test_an_impatient_second_ctrl_c_leaves_nothing_either(terminal: Terminal, traces: TakeTraces) -> None:
    with terminal.open(["up", "--engine", "celery"]) as up:
        up.wait_for(READY)
        held = traces(up.popen.pid)
        for _ in range(3):
            up.popen.send_signal(signal.SIGINT)
        assert up.popen.wait(30) == 130

    until(lambda: held.alive() == [], "the watchdog finishes the work")
    assert held.held_ports() == []


def test_ctrl_c_while_it_is_still_starting_leaves_nothing(terminal: Terminal, traces: TakeTraces) -> None:
    with terminal.open(["up", "--engine", "celery", "--ledger", "postgres"]) as up:
        until(lambda: len(psutil.Process(up.popen.pid).children()) >= 2, "the first server has been started")
        held = traces(up.popen.pid)

        assert up.interrupt() == 130

    _nothing_is_left(terminal, held)


def test_a_deployment_whose_server_dies_says_so_and_leaves_nothing(
    terminal: Terminal, traces: TakeTraces
) -> None:
    with terminal.open(["up", "--engine", "celery"]) as up:
        up.wait_for(READY)
        held = traces(up.popen.pid)
        _processes(held, "valkey-server")[0].kill()

        assert up.popen.wait(30) == 1
        assert "error: valkey of celery ended by itself" in up.text
        assert "Traceback" not in up.text

    _nothing_is_left(terminal, held)


def test_workers_end_with_their_deployment(terminal: Terminal, traces: TakeTraces) -> None:
    with terminal.open(["up", "--engine", "temporal"]) as up:
        up.wait_for(READY)
        with terminal.open(["worker"]) as worker:
            worker.wait_for("is ready")
            held = traces(worker.popen.pid)
            up.interrupt()

            assert worker.popen.wait(30) == 1
            assert "error: the `bakeoff up` that these workers belong to has ended" in worker.text

    _nothing_is_left(terminal, held)


def _kill(background: Background) -> None:
    background.popen.kill()
    background.popen.wait()


def _dead(held: Traces) -> None:
    until(lambda: held.alive() == [], "the watchdog has killed everything")
    assert held.held_ports() == []


def _shared_memory(held: Traces) -> list[str]:
    """Files in shared memory, which nobody would remove after a SIGKILL."""
    if not hasattr(psutil.Process, "memory_maps"):  # macOS
        return []
    maps = [map.path for process in _processes(held, "postgres") for map in process.memory_maps()]
    return [path for path in maps if path.startswith("/dev/shm")]


@pytest.mark.parametrize(
    ("engine", "ledger"), [more("temporal", "sqlite"), more("celery", "sqlite"), ("dramatiq", "postgres")]
)
def test_sigkill_leaves_no_process_and_no_port_and_the_next_start_sweeps(
    terminal: Terminal, traces: TakeTraces, engine: str, ledger: str
) -> None:
    with terminal.open(["up", "--engine", engine, "--ledger", ledger]) as up:
        up.wait_for(READY)
        with terminal.open(["worker"]) as worker:
            worker.wait_for("is ready")
            held = traces(worker.popen.pid), traces(up.popen.pid)
            assert _shared_memory(held[1]) == []
            _kill(worker)
            _dead(held[0])
            _kill(up)
            _dead(held[1])

    assert terminal.leftovers() != [], "a killed harness cannot tidy up; that is what the sweep is for"
    refused = terminal.run_here(["start", "order", "order-123"])
    assert refused.returncode == 2
    assert "what was up in .bakeoff is gone" in refused.stderr

    # Whatever engine comes next.
    with terminal.open(["up", "--engine", "dramatiq"]) as again:
        again.wait_for(READY)
        assert again.interrupt() == 130
    assert terminal.leftovers() == []


def test_a_rabbitmq_with_its_erlang_processes_goes_too(terminal: Terminal, traces: TakeTraces) -> None:
    checked = terminal.run_here(["engines", "--engine", "celery", "--json"])
    assert checked.returncode == 0
    if "rabbitmq-server is missing" in checked.stdout:
        assert "CI" not in os.environ, "RabbitMQ must be installed where CI says so"
        pytest.skip("not supported here: rabbitmq-server is not installed")
    with terminal.open(["up", "--engine", "celery", "--set", "celery.broker=rabbitmq"]) as up:
        up.wait_for(READY)
        held = traces(up.popen.pid)
        assert _processes(held, "epmd")
        assert _processes(held, "beam.smp")

        _kill(up)

        _dead(held)


def test_success_and_refusal_leave_nothing(terminal: Terminal) -> None:
    assert terminal.run(["doctor", "--engine", "temporal"]).returncode == 0
    assert terminal.leftovers() == []

    refused = terminal.run(
        ["up", "--engine", "celery", "--set", "celery.result_backend=redis://127.0.0.1:1/0"]
    )

    assert refused.returncode == 2
    assert "no valkey answers at redis://127.0.0.1:1/0" in refused.stderr
    assert terminal.leftovers() == []
