"""``bakeoff bench overhead`` from end to end, and what it refuses."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from bakeoff_bench.overhead.result import broken_off
from tests.cli.terminal import Terminal
from tests.processes.traces import Traces
from tests.run.conftest import Command, bakeoff
from tests.tiers import one_of

__all__ = ["bakeoff"]

#: In what the workers of adapter and native may differ: reviewed, and printed beside the numbers.
REVIEWED = {
    "celery": {
        "conf.broker_transport_options",  # an empty prefix
        "conf.result_backend_transport_options",
        "task.Request",  # the hard limit as a backstop
        "task.max_retries",  # both are ended by the policy
        "task.retry_on_worker_lost",
        "task.typing",
    },
    "dramatiq": {"broker", "middleware"},  # results of groups, and the announcement of the worker
    "inline": set(),
    "temporal": {"worker.activity_executor", "worker.interceptors"},  # slots of overruns are given back
}


@pytest.mark.slow
@pytest.mark.service
@pytest.mark.timeout(300)
@pytest.mark.parametrize("engine", one_of(["inline", "dramatiq", "temporal", "celery"], "dramatiq"))
def test_measures_both_sides_with_the_same_settings(bakeoff: Command, engine: str) -> None:
    broker = ["--broker", "valkey"] if engine in ("celery", "dramatiq") else []
    ran = bakeoff(
        *("bench", "overhead", "--engine", engine, *broker, "--rounds", "1", "--sagas", "20", "--slots", "2")
    )

    assert ran.code == 0, ran.err
    (one,) = ran.result["contestants"]
    assert {setting for setting, _, _ in one["differences"]} == REVIEWED[engine]
    assert one["comparisons"]["order"]["cpu_ms"]["word"] == "cannot tell"  # there was but one round
    assert one["comparisons"]["noop"]["per_s"]["ratio"] > 0
    assert one["ceilings"][0] > 0
    assert (one["offered_per_s"] is None) == (engine == "inline")
    assert "share of the ceiling" in ran.out
    assert "about" in ran.out.splitlines()[0]  # the duration, before anything is started


@pytest.mark.slow
@pytest.mark.service
def test_an_interruption_leaves_the_rounds_that_were_made(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    asked = ["bench", "overhead", "--engine", "inline", "--rounds", "9", "--sagas", "20"]
    with terminal.open([*asked, "--json", "cost.json"]) as command:
        command.wait_for("round 2 of 9")
        traces = Traces(command.popen.pid)
        code = command.interrupt()
    result = json.loads((terminal.folder / "cost.json").read_text())
    (one,) = result["contestants"]

    assert code == 128 + signal.SIGINT
    assert not traces.alive()
    assert not terminal.leftovers()
    assert not result["complete"]
    assert not one["whole"]
    assert 1 <= len(one["rounds"]) < 9
    assert one["comparisons"]["order"]["cpu_ms"]["adapter"] > 0
    assert list(broken_off(result)) == [f"inline: broken off after {len(one['rounds'])} of 9 rounds"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--engine", "celery-sagalog"], "there is no hand-written native to compare it with"),
        (["--engine", "celery", "--broker", "kafka"], "--broker kafka: there is no such broker"),
        (["--engine", "nobody"], "engine 'nobody' is not installed"),
        (["--engine", "inline", "--config", "default"], "the same there as recommended"),
        (["--engine", "celery", "--set", "dramatiq.processes=2"], "dramatiq is not in use here"),
        (["--rounds", "0"], "--rounds"),
    ],
)
def test_refuses_what_it_cannot_measure(bakeoff: Command, arguments: list[str], told: str) -> None:
    ran = bakeoff("bench", "overhead", *arguments)

    assert ran.code == 2
    assert told in ran.err
    assert "Traceback" not in ran.err
