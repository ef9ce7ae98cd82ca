"""A user has sagas started by schedule, on each engine that can, and is told where one cannot."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bakeoff.contract.lab import Lab
from bakeoff_temporal.connection import connect
from tests.cli.conftest import Refused
from tests.cli.terminal import Terminal
from tests.engines.temporal_stack import temporal_lab
from tests.processes.traces import until
from tests.tiers import one_of

pytestmark = [pytest.mark.service, pytest.mark.timeout(240)]

_ABLE = ["celery", "celery-sagalog", "temporal"]


@pytest.fixture(scope="module", params=one_of(_ABLE, "celery", "temporal"))
def able(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    terminal = Terminal(tmp_path_factory.mktemp(request.param))
    up = ["up", "--engine", request.param, "--config", "ci", "--saga", "billing"]
    with terminal.open(up) as background:
        background.wait_for("Ctrl-C stops everything.")
        with terminal.open(["worker", "--engine", request.param]) as worker:
            worker.wait_for("1 worker process is ready")
            yield terminal


def _ok(terminal: Terminal, *line: str) -> str:
    done = terminal.run_here(list(line))
    assert done.returncode == 0, done.stderr
    return done.stdout


def _refusal(terminal: Terminal, *line: str) -> str:
    done = terminal.run_here(list(line))
    assert done.returncode == 2, done.stdout + done.stderr
    (error,) = [text for text in done.stderr.splitlines() if not text.startswith("warning: ")]
    return error.removeprefix("error: ")


def test_a_billing_cycle_per_period(able: Terminal) -> None:
    """Made, listed, at work, removed; every saga is found by the id that the first answer tells."""
    assert _ok(able, "schedules") == "nothing is started by schedule\n"

    made = _ok(able, "schedule", "billing", "--every", "3s", "--id", "acme")

    assert re.match(r"acme: billing every 3s, from 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d \(UTC\) on\n", made)
    assert re.search(r"the first saga is acme-20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ\n", made)
    until(lambda: "acme" in _ok(able, "schedules"), "acme in the list", 20)
    (listed,) = json.loads(_ok(able, "schedules", "--json"))
    assert {"id": "acme", "saga": "billing", "every_s": 3}.items() <= listed.items()

    def begun() -> list[str]:
        return re.findall(r"acme-\S+Z", _ok(able, "list"))

    until(lambda: len(begun()) >= 2, "two sagas of acme", 60)
    result = able.run_here(["result", begun()[-1]])
    assert "completed" in result.stdout
    assert f'generate_invoice     {{"invoiceId": "{begun()[-1]}"}}' in result.stdout

    assert _ok(able, "unschedule", "acme") == "acme: nothing more is started\n"
    until(lambda: "acme" not in _ok(able, "schedules"), "an empty list", 20)


def test_what_cannot_be_scheduled(able: Terminal) -> None:
    """One line and exit code 2 each; nothing is scheduled by it."""
    _ok(able, "schedule", "billing", "--every", "30d", "--id", "there")
    for line, says in {
        "schedule biling --every 30d": "saga 'biling' is not known",
        "schedule order --every 30d": "saga 'order' wants the id of an order, and no period brings one",
        "schedule billing --every 0d": "'0d' is no period; write a number with s, m, h, d or w, e.g. 30d",
        "schedule billing --every monthly": "'monthly' is no period",
        "schedule billing --every 1.5h": "'1.5h' is no period",
        "schedule billing --every 99999d": "'99999d' is no period",
        "schedule billing --every 30d --id a/b": "schedule 'a/b': up to 100 letters",
        "schedule billing --every 30d --id there": "there is a schedule there already",
        "unschedule nobody": "there is no schedule 'nobody'; there are: ",
    }.items():
        assert says in _refusal(able, *line.split()), line
    _ok(able, "unschedule", "there")

    assert "there is no schedule 'there'" in _refusal(able, "unschedule", "there")


def test_an_engine_without_a_scheduler_names_those_that_have_one(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    with terminal.open(["up", "--engine", "dramatiq", "--config", "ci", "--saga", "billing"]) as up:
        up.wait_for("Ctrl-C stops everything.")
        for line in (["schedule", "billing", "--every", "30d"], ["schedules"], ["unschedule", "acme"]):
            refusal = _refusal(terminal, *line)

            assert refusal.startswith("dramatiq starts nothing by schedule: Dramatiq has no scheduler")
            assert refusal.endswith("Installed and able: celery, celery-sagalog, temporal")


def test_nothing_is_left_on_a_server_that_goes_on(tmp_path: Path) -> None:
    """It would start sagas for ever that nobody takes."""
    with temporal_lab(tmp_path, "theirs") as theirs:
        terminal = Terminal(tmp_path)
        address = theirs.stack.deployment.addresses["temporal"]
        line = ["up", "--engine", "temporal", "--set", f"temporal.address={address}", "--saga", "billing"]
        with terminal.open(line) as up:
            up.wait_for("Ctrl-C stops everything.")
            _ok(terminal, "schedule", "billing", "--every", "30d", "--id", "acme")
            until(lambda: _on(theirs) != [], "the schedule on the server", 20)
            (left,) = _on(theirs)
            assert left.startswith("bakeoff-")
            assert left.endswith("-acme")
            assert up.interrupt() == 130

        until(lambda: _on(theirs) == [], "a server without schedules", 20)


def _on(lab: Lab) -> list[str]:
    async def ask() -> list[str]:
        client = await connect(lab.stack.deployment)
        return [one.id async for one in await client.list_schedules()]

    return lab.thread.call(ask, 20)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("schedule billing", "--every"),
        ("schedule billing --every soon", "'soon' is no period"),
        ("schedule billing --every 30d", "nothing is up in .bakeoff"),
        ("schedules", "nothing is up in .bakeoff"),
        ("unschedule", "Missing argument"),
        ("unschedule acme", "nothing is up in .bakeoff"),
        ("schedules --engine nobody", "engine 'nobody' is not installed"),
    ],
)
def test_refused_before_anything_is_up(refused: Refused, line: str, says: str) -> None:
    assert says in refused(line)
