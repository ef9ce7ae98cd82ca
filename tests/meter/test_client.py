"""Real processes, measured as the client of an in-process engine, which has no others."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bakeoff.contract.stack_thread import StackThread
from bakeoff.plugins import Plugins
from bakeoff.processes import Launcher
from bakeoff.settings import ConfigClass, resolve
from bakeoff.stack import Stack, StackPlan
from bakeoff_bench.meter import ResourceMeter, ResourceUsage
from tests.meter.processes import start, until

#: The system counts in hundredths, and a program that waits looks whether it may go on.
_INEXACT_S = 0.15


@pytest.fixture(scope="module")
def inline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    engine = Plugins().engine("inline")
    settings = resolve("inline", engine.info().settings, ConfigClass.CI, {})
    thread = StackThread(
        StackPlan(engine=engine, settings=settings, folder=tmp_path_factory.mktemp("inline"))
    )
    yield thread.start()
    thread.stop()


@pytest.fixture
def launcher(tmp_path: Path) -> Iterator[Launcher]:
    with Launcher(tmp_path / "logs") as launcher:
        yield launcher


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps an account of children that have ended")
@pytest.mark.parametrize("every_s", [600, 0.02], ids=["between samples", "seen by samples"])
def test_children_that_come_and_go_count_once(
    inline: Stack, launcher: Launcher, tmp_path: Path, every_s: float
) -> None:
    program = start(
        launcher,
        tmp_path / "parent",
        "child(0.5).wait(); before = told(); say('ready', 0); wait_for('go');"
        "[child(0.3).wait() for _ in range(3)]; burn(0.2); say('used', told() - before); time.sleep(600)",
    )
    program.said("ready")
    meter = ResourceMeter(inline, [program.child.pid], every_s=every_s)
    meter.start()
    program.tell("go")
    used_s = program.said("used")
    usage = meter.stop()

    assert used_s > 1.1
    assert usage.total is not None
    assert usage.total.cpu_s == pytest.approx(used_s, abs=_INEXACT_S)
    assert usage.total.most_processes == (2 if every_s < 1 else 1)


def test_a_process_that_is_killed_counts_as_far_as_it_was_seen(
    inline: Stack, launcher: Launcher, tmp_path: Path
) -> None:
    program = start(
        launcher, tmp_path / "victim", "wait_for('go'); burn(0.5); say('used', 0); time.sleep(600)"
    )
    meter = ResourceMeter(inline, [program.child.pid], every_s=0.02)
    meter.start()
    program.tell("go")
    program.said("used")
    until("it is seen", lambda: meter.samples[-1].cpu_s > 0.48)
    os.kill(program.child.pid, signal.SIGKILL)
    program.child.popen.wait()
    until("its end is seen", lambda: not meter.samples[-1].processes)
    usage = meter.stop()

    assert usage.total is not None
    assert usage.total.cpu_s > 0.48
    assert usage.samples[-1].memory_bytes == 0


def test_an_in_process_engine_is_in_the_clients_bill(
    inline: Stack, launcher: Launcher, tmp_path: Path
) -> None:
    program = start(
        launcher,
        tmp_path / "client",
        "held = bytearray(os.urandom(50_000_000)); say('ready', 0); wait_for('x')",
    )
    program.said("ready")
    meter = ResourceMeter(inline, [program.child.pid], every_s=0.02)
    meter.start()
    until("some samples", lambda: len(meter.samples) > 10)
    usage = meter.stop()

    assert set(usage.roles) == {"client", "total"}
    assert usage.roles["client"] == usage.total
    assert usage.note == "everything runs in the client's process"
    assert usage.memory_kind == ("pss" if sys.platform == "linux" else "uss")
    assert usage.total is not None
    assert 50_000_000 < usage.total.steady_memory_bytes <= usage.total.peak_memory_bytes < 150_000_000
    assert usage.total.most_threads == 1
    assert usage.stored["servers"] is not None
    assert usage.stored["servers"].apparent_bytes == 0


def test_what_a_client_starts_in_a_session_of_its_own_is_not_the_client(
    inline: Stack, launcher: Launcher, tmp_path: Path
) -> None:
    program = start(
        launcher,
        tmp_path / "harness",
        "sleeper = [sys.executable, '-S', '-c', 'import time; time.sleep(600)'];"
        "subprocess.Popen(sleeper, start_new_session=True); subprocess.Popen(sleeper); say('ready', 0);"
        "time.sleep(600)",
    )
    program.said("ready")
    meter = ResourceMeter(inline, [program.child.pid])
    meter.start()
    usage = meter.stop()

    assert usage.total is not None
    assert usage.total.most_processes == 2


def test_without_a_client_the_bill_is_unknown(inline: Stack) -> None:
    meter = ResourceMeter(inline)
    meter.start()
    usage = meter.stop()

    assert usage.roles == {"client": None, "total": None}
    assert usage.unknown["client"] == "nobody said which process it is"
    assert usage.per_1000(100)["cpu_s.total"] is None
    assert usage.wire_bytes is None
    assert usage.unknown["wire_bytes"]


def test_within_async_with_everything_of_the_body_is_measured(
    inline: Stack, launcher: Launcher, tmp_path: Path
) -> None:
    program = start(
        launcher,
        tmp_path / "p",
        "say('ready', 0); wait_for('go'); burn(0.3); say('used', 0); time.sleep(600)",
    )
    program.said("ready")

    async def measured() -> ResourceUsage:
        async with ResourceMeter(inline, [program.child.pid], every_s=0.02) as meter:
            program.tell("go")
            await asyncio.to_thread(program.said, "used")
            await asyncio.to_thread(until, "it is seen", lambda: meter.samples[-1].cpu_s > 0.28)
        return meter.usage

    usage = asyncio.run(measured())

    assert usage.total is not None
    assert usage.total.cpu_s > 0.28
    assert usage.window_s > 0.28
    assert {tuple(row) for row in usage.rows()} == {
        ("t", "role", "cpu_s", "memory_bytes", "processes", "threads")
    }
