"""``bakeoff run`` on engines with servers and worker processes of their own."""

from __future__ import annotations

import os
import shutil

import pytest

from bakeoff.plugins import Plugins
from tests.run.conftest import Command

WITH_WORKERS = [name for name in Plugins().engine_names() if not Plugins().engine(name).info().in_process]

pytestmark = [pytest.mark.service, pytest.mark.slow]


@pytest.mark.parametrize("engine", WITH_WORKERS)
def test_orders_come_to_the_expected_numbers(bakeoff: Command, engine: str) -> None:
    ran = bakeoff("run", "--engine", engine, "--count", "40", "--seed", "3", "--config", "ci")

    assert ran.code == 0, ran.out


@pytest.mark.parametrize("engine", WITH_WORKERS)
def test_scarce_units_are_never_oversold_by_racing_workers(bakeoff: Command, engine: str) -> None:
    ran = bakeoff("run", "--engine", engine, "--scenario", "scarcity", "--count", "30", "--workers", "2")

    assert ran.code == 0, ran.out
    assert ran.result["engines"][engine]["counts"]["completed"] == 10


def test_engines_take_turns_and_come_to_the_same_numbers(bakeoff: Command) -> None:
    ran = bakeoff("run", "--engine", "inline", "--engine", WITH_WORKERS[0], "--count", "30", "--rounds", "3")
    engines = ran.result["engines"]

    assert ran.code == 0, ran.out
    assert [len(engines[name]["blocks"]) for name in engines] == [3, 3]
    assert len({tuple(one["counts"].values()) for one in engines.values()}) == 1
    assert engines["inline"]["blocks"][1]["idle_others_cpu_s"] >= 0


@pytest.mark.skipif(
    shutil.which("rabbitmq-server") is None and "CI" not in os.environ,
    reason="not supported here: rabbitmq-server is not installed",
)
@pytest.mark.parametrize("engine", ["celery", "dramatiq"])
def test_queues_on_rabbitmq_come_to_the_expected_numbers(bakeoff: Command, engine: str) -> None:
    ran = bakeoff(
        "run", "--engine", engine, "--set", f"{engine}.broker=rabbitmq", "--count", "40", "--config", "ci"
    )

    assert ran.code == 0, ran.out
