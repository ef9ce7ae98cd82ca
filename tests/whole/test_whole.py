"""All parts of ``bakeoff run``, what is left out and why, and whose harm is a failure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bakeoff.cli.main import run
from bakeoff.saga import Call, Saga, Step
from bakeoff_bench.whole.kills import broken_promises, two_points
from tests.cli.terminal import Terminal
from tests.report.conftest import Parsed
from tests.tiers import thorough

Capture = pytest.CaptureFixture[str]


@thorough
@pytest.mark.service
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_part_and_a_page_of_it_all(tmp_path: Path) -> None:
    """An engine and no engine: what the second loses is shown, and fails nothing."""
    terminal = Terminal(tmp_path)
    engines = ["--engine", "inline", "--engine", "dramatiq"]
    done = terminal.run(
        ["run", "--quick", *engines, "--count", "12", "--out", "kept", "--json", "r.json"], 240
    )
    folder = terminal.folder / "kept"
    result = json.loads((terminal.folder / "r.json").read_text())
    page = Parsed((folder / "report.html").read_text())

    assert done.returncode == 0, done.stdout + done.stderr
    first = done.stdout.splitlines()[0]
    assert first.startswith(
        "12 order sagas on each engine (inline, dramatiq), then 4 kills, then a load on 2 "
    )
    assert "about" in first
    assert result["validity"] == "valid"
    assert {row["contestant"] for row in result["crash"]["kills"]} == {"inline", "dramatiq[valkey]"}
    assert {block["contestant"] for block in result["load"]["blocks"]} == {"inline", "dramatiq[valkey]"}
    assert {"answer", "correctness", "crashes", "recovery", "load", "time", "unknown"} <= set(page.ids)
    assert "inline, worker-kill, 2 times lost" in page.text
    assert page.links <= set(page.ids)
    checked = terminal.run(["check", "kept"])
    assert checked.returncode == 0
    assert "its crash part: bakeoff check kept/crash" in checked.stdout
    assert "its load part: bakeoff check kept/load" in checked.stdout
    assert terminal.leftovers() == []


@pytest.mark.service
def test_one_part_alone_makes_no_page_unasked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Capture
) -> None:
    monkeypatch.chdir(tmp_path)

    assert run(["run", "--only", "crash", "--engine", "inline", "--quick"]) == 0

    printed = capfd.readouterr().out
    assert "2 kills: about" in printed
    assert "it still holds reserve_inventory, charge_payment" in printed
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("--only load --participants naive", "--only load: a load is judged with idempotent services"),
        ("--only sagas,crash", "'sagas,crash' is not one of"),
        ("--report no/folder/r.html", "there is no folder"),
        ("--only crash --saga order-approval-timeout", "--only crash: "),
    ],
)
def test_what_cannot_be_done_is_refused_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Capture, arguments: str, told: str
) -> None:
    monkeypatch.chdir(tmp_path)

    assert run(["run", "--engine", "inline", *arguments.split()]) == 2

    printed = capfd.readouterr()
    assert told in printed.err
    assert printed.out == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.service
def test_parts_alone_are_judged_where_they_lie(tmp_path: Path, capfd: Capture) -> None:
    out = tmp_path / "kept"
    assert run(["run", "--only", "crash", "--engine", "inline", "--quick", "--out", str(out)]) == 0
    assert f"judge it again with: bakeoff check {out}/crash" in capfd.readouterr().out
    assert (out / "report.html").exists()

    assert run(["check", str(out)]) == 2

    assert f"each judged by itself: bakeoff check {out}/crash" in capfd.readouterr().err


def _kill(contestant: str, outcome: str) -> dict[str, Any]:
    return {"contestant": contestant, "outcome": outcome, "deadline_s": 60.0, "lease_s": 5.0, "open": False}


def test_only_harm_that_an_engine_declares_to_survive_is_a_failure() -> None:
    declared = {
        "promises": ["step_kill"],
        "promises too": ["worker_kill"],
        "nothing": [],
        "power": ["power_loss"],
    }
    result = {
        "manifest": {"contestants": {name: {"survives": words} for name, words in declared.items()}},
        "kills": [
            *(_kill(name, "lost") for name in declared),
            _kill("promises", "clean"),
            _kill("void", "void"),
        ],
    }

    assert broken_promises(result) == ["promises", "promises too"]


def nothing(call: Call) -> None:
    del call


def test_a_quick_run_kills_once_on_the_way_forward_and_once_on_the_way_back() -> None:
    first = Step(name="a", action=nothing, compensation=nothing)
    both = Saga("two", (first, Step(name="b", action=nothing)))
    forward = Saga("one", (Step(name="a", action=nothing),))

    assert two_points(both) == ("a.after_effect", "nothing.before_effect")
    assert two_points(forward) == ("a.after_effect",)
