"""A repeated Ctrl-C, and supervisors that send SIGTERM twice: quick, quiet, nothing left, at any moment."""

from __future__ import annotations

import contextlib
import os
import signal
import time

import psutil
import pytest

from tests.cli.terminal import Background, Terminal
from tests.processes.traces import Traces, until
from tests.tiers import more, one_of

pytestmark = [pytest.mark.service, pytest.mark.slow]

#: Seconds between the first signal and the following ones; ``timeout`` sends two at once.
_GAPS: tuple[tuple[float, ...], ...] = ((0.002,), (0.05,), (0.35, 0.35))

#: Seconds that any of this may take on a busy machine; a run that goes on takes longer.
_QUICK_S = 12.0


def _signals(command: Background, number: int, gaps: tuple[float, ...]) -> float:
    """Send them to the whole group; return the seconds until the command has ended."""
    began_s = time.monotonic()
    os.killpg(command.popen.pid, number)
    for gap in gaps:
        time.sleep(gap)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(command.popen.pid, number)
    command.popen.wait(60)
    return time.monotonic() - began_s


def _ended_well(command: Background, terminal: Terminal, number: int) -> None:
    # A signal that comes when the interpreter is all but gone ends it as it ends any program.
    assert command.popen.returncode in (128 + number, -number)
    for noise in ("Traceback", "rror", "xception", "destroyed", "never"):
        assert noise not in command.text, command.text
    assert terminal.leftovers() == []


@pytest.mark.parametrize(
    "number", one_of([signal.SIGINT, signal.SIGTERM, signal.SIGHUP], signal.SIGTERM), ids=lambda one: one.name
)
def test_a_run_without_servers_at_many_moments(terminal: Terminal, number: signal.Signals) -> None:
    for moment, gaps in enumerate(_GAPS):
        with terminal.open(["run", "--only", "sagas", "--engine", "inline", "--count", "2000"]) as command:
            command.wait_for("round 1 of 4")
            time.sleep(moment * 0.17)

            assert _signals(command, number, gaps) < _QUICK_S, (gaps, command.text)
        _ended_well(command, terminal, number)


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("engine", "said"),
    [("celery", "starting"), more("dramatiq", "round 1 of 4"), ("temporal", "round 1 of 4")],
)
def test_a_run_with_servers_and_workers(terminal: Terminal, engine: str, said: str) -> None:
    for moment, gaps in enumerate(((0.003,), (0.4,))):
        with terminal.open(["run", "--only", "sagas", "--engine", engine, "--count", "1500"]) as command:
            command.wait_for(said)
            time.sleep(moment * 0.4)
            traces = Traces(command.popen.pid)

            assert _signals(command, signal.SIGTERM, gaps) < _QUICK_S, (gaps, command.text)
        _ended_well(command, terminal, signal.SIGTERM)
        until(lambda held=traces: held.alive() == [], f"nothing of {traces.alive()} runs")  # type: ignore[misc]
        assert traces.held_ports() == []


def test_the_second_one_kills_a_server_that_does_not_stop(terminal: Terminal) -> None:
    """The way out waits up to ten seconds for a server that ignores SIGTERM; nobody waits who asks twice."""
    with terminal.open(["up", "--engine", "celery"]) as up:
        up.wait_for("Ctrl-C stops everything.")
        traces = Traces(up.popen.pid)
        (server,) = [one for one in traces.processes if "valkey" in one.name()]
        server.suspend()  # takes no SIGTERM now

        assert _signals(up, signal.SIGINT, (1.0,)) < 10
    _ended_well(up, terminal, signal.SIGINT)
    assert traces.alive() == []


def test_a_way_out_that_is_blocked_ends_where_it_stands(terminal: Terminal) -> None:
    """A saga whose step never ends keeps a thread busy that Python would join for ever."""
    (terminal.folder / "endless.py").write_text(
        "import time\n"
        "from bakeoff import Saga, Step\n"
        "def endless(call):\n"
        "    while True: time.sleep(1)\n"
        "SAGA = Saga(name='endless', elements=(Step(name='endless', action=endless),))\n"
    )
    with terminal.open(
        ["run", "--only", "sagas", "--engine", "inline", "--saga", "endless:SAGA", "--count", "5"]
    ) as command:
        command.wait_for("round 1 of")
        time.sleep(1)
        children = psutil.Process(command.popen.pid).children(recursive=True)

        assert _signals(command, signal.SIGINT, (1.0,)) < _QUICK_S
    _ended_well(command, terminal, signal.SIGINT)
    assert not [one for one in children if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
