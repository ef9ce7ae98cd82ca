"""A worker's slots, shared among its processes."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from bakeoff.errors import UsageError
from bakeoff.processes import Launch, Launcher, Workers
from bakeoff.settings import ConfigClass, Setting, SettingsInForce, resolve
from bakeoff.sharing import check_slots, processes_of_worker, slots_of_process, worker_processes

DECLARED = (
    worker_processes("one of ours"),
    Setting(name="broker", help="kind", default="v", recommended="v", ci="v", choices=("v", "r")),
    Setting(
        name="children", help="n", default=1, recommended=1, ci=1, shares_slots=True, only={"broker": "r"}
    ),
)


def _settings(**overrides: str) -> SettingsInForce:
    return resolve("x", DECLARED, ConfigClass.CI, overrides)


@pytest.mark.parametrize("config_class", list(ConfigClass))
def test_a_worker_is_one_process_unless_told_otherwise(config_class: ConfigClass) -> None:
    """With all slots; also where the engine declares no such setting."""
    for declared in (DECLARED, ()):
        settings = resolve("x", declared, config_class)

        check_slots("x", declared, settings, 7)
        assert (processes_of_worker(settings), slots_of_process("x", settings, 7)) == (1, 7)


def test_processes_share_the_slots() -> None:
    settings = _settings(worker_processes="2")

    check_slots("x", DECLARED, settings, 8)
    assert (processes_of_worker(settings), slots_of_process("x", settings, 8)) == (2, 4)


def test_what_does_not_divide_the_slots_is_refused_with_the_way_out() -> None:
    """Value, slots, and what would be right."""
    settings = _settings(worker_processes="3")

    for refuse in (
        lambda: check_slots("x", DECLARED, settings, 4),
        lambda: slots_of_process("x", settings, 4),
    ):
        with pytest.raises(UsageError) as caught:
            refuse()
        assert str(caught.value) == (
            "x.worker_processes=3 does not divide the 4 slots of a worker: give --slots a multiple of 3, "
            "or --set x.worker_processes one of 1, 2, 4"
        )


def test_processes_within_processes_share_what_is_left() -> None:
    settings = _settings(worker_processes="2", broker="r", children="4")

    check_slots("x", DECLARED, settings, 8)
    with pytest.raises(UsageError, match=r"children=4 does not divide the 2 slots"):
        check_slots("x", DECLARED, settings, 4)


def test_a_setting_without_effect_shares_nothing() -> None:
    check_slots("x", DECLARED, resolve("x", DECLARED, ConfigClass.CI), 3)


def test_every_process_of_a_worker_is_started_and_supervised(tmp_path: Path) -> None:
    """``start(2)`` of workers that are two processes each starts four."""
    assert asyncio.run(_started(tmp_path, 2, each=2)) == 4


async def _started(folder: Path, count: int, each: int) -> int:
    launch = Launch(argv=[sys.executable, "-c", "import time; time.sleep(60)"], stop_within_s=1)
    with Launcher(folder) as launcher:
        workers = Workers(launcher, "w", launch, lambda: [c.pid for c in workers.children], each=each)
        try:
            await workers.start(count)
            return len(workers.children)
        finally:
            await workers.stop()
