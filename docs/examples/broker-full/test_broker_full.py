"""The fault alone, on a server; then on an engine, in the middle of a saga."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from bakeoff_broker_full import BrokerFull
from redis import Redis

from bakeoff.nemesis import FaultMissedError
from bakeoff.processes import Launcher
from bakeoff.servers import ValkeyServer, start_server


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Any]:
    """All that this fault asks of a target: the engine's first server."""
    with Launcher(tmp_path / "logs") as launcher:
        running = asyncio.run(start_server(ValkeyServer("broker"), launcher, tmp_path))
        yield SimpleNamespace(server=lambda: running)


def _limit(target: Any) -> int:
    return int(Redis.from_url(target.server().address).config_get("maxmemory")["maxmemory"])


def test_it_lands_and_is_healed(target: Any) -> None:
    """Seen from outside, by the setting that it changes."""
    fault = BrokerFull(seconds=0.1)

    landing = asyncio.run(fault.inject(target))
    assert landing.seen.startswith("a write was refused: ")
    assert landing.ended == ()
    assert _limit(target) == 1

    asyncio.run(fault.heal(target))
    assert _limit(target) == 0


def test_what_did_not_land_says_so_and_leaves_nothing(target: Any) -> None:
    """The control: a limit that nobody reaches is no fault, and must not count as survived."""
    with pytest.raises(FaultMissedError, match="a write was taken"):
        asyncio.run(BrokerFull(limit_bytes=10**9).inject(target))
    assert _limit(target) == 0


def test_a_cancellation_leaves_nothing(target: Any) -> None:
    """As Ctrl-C does it in the middle of a run."""

    async def broken_off() -> None:
        fault = BrokerFull(seconds=60)
        await fault.inject(target)
        async with asyncio.timeout(0.1):
            await fault.heal(target)

    with pytest.raises(TimeoutError):
        asyncio.run(broken_off())
    assert _limit(target) == 0


def test_it_is_done_to_an_engine_in_the_middle_of_a_saga(tmp_path: Path) -> None:
    """Found by its name, so the package is installed; whatever becomes of the saga, the fault landed."""
    file = tmp_path / "kills.json"
    line = "-m bakeoff crash --engine celery --broker valkey --fault broker-full --config recommended"
    line += " --point charge_payment.after_effect --kills 1 --json"
    subprocess.run([sys.executable, *line.split(), str(file)], cwd=tmp_path, timeout=100)

    (kill,) = json.loads(file.read_text())["kills"]
    assert kill["outcome"] not in ("void", "not supported"), kill["detail"]
    assert kill["seen"].startswith("a write was refused: ")
    assert kill["recovery_s"] is None or kill["recovery_s"] > 4
