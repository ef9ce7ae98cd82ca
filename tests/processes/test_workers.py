"""Workers are counted, restarted and killed whole; one that cannot start says why."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bakeoff.errors import ServerStartError
from bakeoff.processes import Launch, Launcher, Workers
from tests.processes.scripts import python
from tests.processes.traces import gone

#: Announces itself by a file named after its process id, then works. Its child survives it, like Dramatiq's.
_WORKER = """
import os, subprocess, sys, time
from pathlib import Path
folder = Path(sys.argv[1])
if len(sys.argv) > 2 and sys.argv[2] == "helper":
    aside = folder / f"aside-{os.getpid()}"
    aside.write_text(str(os.getpid()))
    aside.rename(folder / f"helper-{os.getppid()}")
    time.sleep(600)
subprocess.Popen([sys.executable, "-c", os.environ["WORKER"], str(folder), "helper"])
while not (folder / f"helper-{os.getpid()}").exists():
    time.sleep(0.01)
print("I work", flush=True)
(folder / f"ready-{os.getpid()}").touch()
time.sleep(600)
"""


def _ready(folder: Path) -> Sequence[int]:
    return [int(file.name.removeprefix("ready-")) for file in folder.glob("ready-*")]


@asynccontextmanager
async def _working(folder: Path, count: int) -> AsyncIterator[Workers]:
    with Launcher(folder / "logs") as launcher:
        launch = Launch(argv=python(_WORKER, folder), env={"WORKER": _WORKER})
        workers = Workers(launcher, "worker", launch, lambda: _ready(folder))
        try:
            await workers.start(count)
            yield workers
        finally:
            await workers.stop()


async def _until(condition: object, message: str, within_s: float = 15.0) -> None:
    assert callable(condition)
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.02)


def test_start_returns_when_all_have_announced_themselves_and_stop_leaves_none(tmp_path: Path) -> None:
    async def scenario() -> list[int]:
        async with _working(tmp_path, 3) as workers:
            pids = [child.pid for child in workers.children]
            assert sorted(_ready(tmp_path)) == sorted(pids)
            return pids

    pids = asyncio.run(scenario())

    assert len(pids) == 3
    helpers = [int(file.read_text()) for file in tmp_path.glob("helper-*")]
    assert len(helpers) == 3
    assert all(gone(pid) for pid in [*pids, *helpers])


def test_a_killed_worker_is_replaced_and_its_children_do_not_outlive_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with _working(tmp_path, 2) as workers:
            victim, bystander = workers.children
            helper = int((tmp_path / f"helper-{victim.pid}").read_text())
            os.kill(victim.pid, signal.SIGKILL)
            await _until(lambda: workers.restarts == 1, "it is started again")

            assert gone(victim.pid)
            assert gone(helper)
            assert bystander.alive
            await _until(lambda: len(_ready(tmp_path)) == 3, "its heir announces itself")
            assert [child.name for child in workers.children] == ["worker-2", "worker-3"]
            assert workers.failure is None

    asyncio.run(scenario())


def test_a_worker_that_ends_at_once_is_reported_with_its_last_words(
    tmp_path: Path, launcher: Launcher
) -> None:
    async def scenario() -> None:
        launch = Launch(argv=python("import sys; print('no such queue'); sys.exit(3)"))
        workers = Workers(launcher, "worker", launch, lambda: [])
        await workers.start(1)

    with pytest.raises(ServerStartError, match=r"(?s)worker-1 ended at once \(exit code 3\):\nno such queue"):
        asyncio.run(scenario())


def test_a_worker_that_never_gets_ready_is_reported_in_time(launcher: Launcher) -> None:
    async def scenario() -> None:
        launch = Launch(argv=["/bin/sh", "-c", "echo hm; exec sleep 600"])
        workers = Workers(launcher, "worker", launch, lambda: [])
        try:
            await workers.start(1, ready_within_s=1.0)
        finally:
            await workers.stop()

    with pytest.raises(ServerStartError, match=r"(?s)worker-1 was not ready within 1 s:\nhm"):
        asyncio.run(scenario())


def test_a_worker_that_keeps_ending_is_given_up(tmp_path: Path, launcher: Launcher) -> None:
    """It works at first; then whatever it needs is gone, and every restart fails."""
    script = (
        "import os, sys, time; from pathlib import Path; folder = Path(sys.argv[1])\n"
        "if (folder / 'broken').exists(): print('the table is gone'); sys.exit(1)\n"
        "(folder / f'ready-{os.getpid()}').touch(); time.sleep(600)"
    )

    async def scenario() -> Workers:
        workers = Workers(launcher, "worker", Launch(argv=python(script, tmp_path)), lambda: _ready(tmp_path))
        await workers.start(1)
        (tmp_path / "broken").touch()
        os.kill(workers.children[0].pid, signal.SIGKILL)
        await _until(lambda: workers.failure is not None, "it is given up", 30)
        await workers.stop()
        return workers

    workers = asyncio.run(scenario())

    assert workers.failure is not None
    assert "keeps ending at its start:\nthe table is gone" in str(workers.failure)
    assert workers.children == []
    assert 1 <= workers.restarts <= 3


def test_a_worker_that_is_killed_as_soon_as_it_is_ready_is_always_started_again(tmp_path: Path) -> None:
    """Kills are no failed starts, however quickly they follow each other."""

    async def scenario() -> Workers:
        async with _working(tmp_path, 1) as workers:
            for kills in range(1, 6):
                victim = workers.children[0].pid
                os.kill(victim, signal.SIGKILL)
                await _until(lambda: workers.restarts == kills, "it is started again")  # noqa: B023
                await _until(lambda: not workers.not_ready(), "it is ready")
            return workers

    assert asyncio.run(scenario()).failure is None


def test_a_program_that_vanishes_is_a_failure_not_a_silence(tmp_path: Path, launcher: Launcher) -> None:
    program = tmp_path / "worker.sh"
    program.write_text(f'#!/bin/sh\ntouch "{tmp_path}/ready-$$"\nexec sleep 600\n')
    program.chmod(0o755)

    async def scenario() -> Workers:
        workers = Workers(launcher, "worker", Launch(argv=[str(program)]), lambda: _ready(tmp_path))
        await workers.start(1)
        program.unlink()
        os.kill(workers.children[0].pid, signal.SIGKILL)
        await _until(lambda: workers.failure is not None, "the failure is noticed")
        await workers.stop()
        return workers

    workers = asyncio.run(scenario())

    assert "cannot run" in str(workers.failure)
