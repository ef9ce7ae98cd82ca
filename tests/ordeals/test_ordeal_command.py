"""What ``bakeoff ordeal`` tells, what it refuses, and what its page says."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer.main

from bakeoff.cli.main import run
from bakeoff.cli.options import choose_engines
from bakeoff.nemesis import FaultMissedError
from bakeoff_bench.ordeals.catalogue import ORDEALS, find_ordeals
from bakeoff_bench.ordeals.command import ordeal
from bakeoff_bench.ordeals.ordeal import OrdealResult, Setup
from bakeoff_bench.ordeals.show import show_result
from bakeoff_bench.ordeals.under_load import UnderLoad
from tests.cli.terminal import Terminal

_PAGE = Path(__file__).parents[2] / "docs" / "ordeals.md"


def test_without_a_name_it_lists_what_there_is(terminal: Terminal) -> None:
    listed = terminal.run_here(["ordeal"])

    assert listed.returncode == 0, listed.stderr
    for name, one in ORDEALS.items():
        assert re.search(rf"^{name} .*{one.size}", listed.stdout, re.MULTILINE)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["poisson"], "ordeal 'poisson' is not known; known: backlog, "),
        (["backlog", "--size", "3"], "Invalid value for '--size'"),
        (["backlog", "--engine", "celrey"], "engine 'celrey' is not installed"),
        (["backlog", "--json", "no/such/folder/x.json"], "--json no/such/folder/x.json: cannot be written"),
        (["backlog", "--out", "."], "--out .: it exists already; give a new folder"),
        (
            ["parked", "--engine", "celery", "--set", "celery.broker_url=redis://127.0.0.1:1/0"],
            "celery: broker was not started by bakeoff, and no ordeal is done there",
        ),
    ],
)
def test_mistakes_are_one_line_and_nothing_is_started(
    terminal: Terminal, arguments: list[str], message: str
) -> None:
    refused = terminal.run_here(["ordeal", *arguments])

    assert refused.returncode == 2
    assert message in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert terminal.leftovers() == []


def test_every_command_of_the_page_can_be_typed() -> None:
    """Its ordeals, engines, settings and options exist."""
    lines = re.findall(r"^bakeoff ordeal.*$", _PAGE.read_text(), re.MULTILINE)
    assert len(lines) >= 5
    for line in lines:
        _parse(shlex.split(line)[2:])


def test_the_page_names_every_ordeal() -> None:
    assert [name for name in ORDEALS if f"`{name}`" not in _PAGE.read_text()] == []


def _parse(arguments: list[str]) -> None:
    app = typer.Typer()
    app.command("ordeal")(ordeal)
    given = typer.main.get_command(app).make_context("ordeal", arguments).params
    find_ordeals(given["names"] or [])
    choose_engines(given["engine"], config=given["config"], sets=given["set_"], raws=given["set_raw"])


def test_a_stand_in_is_called_so_beside_its_rates(capsys: pytest.CaptureFixture[str]) -> None:
    parts: dict[str, Any] = {key: {} for key in ("counts", "integers", "times_s", "ratios", "memory_mb")}
    one = {"verdict": "valid", **parts, "rates_per_s": {"drained": 9.0}, "reasons": [], "notes": []}
    show_result("backlog", {"temporal": {**one, "engine_note": "dev server, 1 shard, SQLite"}, "inline": one})

    told = capsys.readouterr().out
    assert "9.0 per s" in told
    assert "temporal: dev server, 1 shard, SQLite" in told


def test_a_fault_that_did_not_land_is_unknown_and_costs_nobody_else_his_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def miss(self: UnderLoad, setup: Setup) -> OrdealResult:
        raise FaultMissedError("nobody came to the point")

    monkeypatch.setattr(UnderLoad, "run", miss)
    monkeypatch.chdir(tmp_path)
    line = ["ordeal", "under-load", "--engine", "dramatiq", "--engine", "inline", "--json", "found.json"]

    assert run(line) == 1
    found = json.loads((tmp_path / "found.json").read_text())["ordeals"]["under-load"]
    assert found["dramatiq"]["verdict"] == "unknown"
    assert found["dramatiq"]["reasons"] == ["nobody came to the point"]
    assert found["inline"]["verdict"] == "not supported"
