"""``bakeoff tune`` searches a real engine, and what it found is used by everybody else."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal
from tests.tiers import thorough

#: Six deployments and a dozen loads one after the other, on a machine that other tests use, too.
_PATIENCE_S = 300.0

pytestmark = [pytest.mark.service, pytest.mark.slow, pytest.mark.timeout(400)]

_LINE = ["tune", "--engine", "dramatiq", "--set", "dramatiq.broker=valkey", "--knob", "processes"]
_SHORT = ["--duration", "3", "--rounds", "2", "--confirm", "2", "--slots", "2", "--closed", "4"]


@thorough
def test_a_search_and_its_file(tmp_path: Path) -> None:
    """Which value wins is the machine's business; that it is written, kept and used is ours."""
    terminal = Terminal(tmp_path)
    done = terminal.run(
        [*_LINE, *_SHORT, "--worth", "0", "--json", "tune.json", "--out", "kept"], _PATIENCE_S
    )
    found = json.loads((terminal.folder / "tune.json").read_text())["dramatiq"]
    (stage,) = found["stages"]

    # On a busy machine a step may run into its timeout, or every round of a candidate be void.
    assert done.returncode == (0 if found["valid"] and found["decided"] else 1), done.stderr + done.stdout
    assert "about" in done.stdout.splitlines()[0]
    assert stage["knob"] == "processes"
    # Four processes cannot share two slots.
    assert [one["changes"] for one in stage["tried"]] == [{}, {"processes": "2"}, {"processes": "4"}]
    assert "4" in stage["tried"][2]["problem"]
    assert all(one["rates_per_s"] or one["problem"] for one in stage["tried"][:2]), done.stdout
    if found["decided"]:
        file = tomllib.loads((terminal.folder / "bakeoff-tuned.toml").read_text())
        processes = {name: int(text) for name, text in found["changes"].items()}
        assert file["settings"]["dramatiq"] == {"broker": "valkey", **processes}
        assert file["evidence"]["dramatiq"]["fixed"] == ["broker"]
    assert stage["taken"] is not None or found["confirmation"] is None
    assert terminal.leftovers() == []
    checked = terminal.run(["check", "kept/dramatiq/01-processes"])
    assert checked.returncode == 0 or "rounds are left out" in checked.stdout, checked.stderr

    (terminal.folder / "bakeoff-tuned.toml").write_text("format = 1\n[settings.dramatiq]\nprocesses = 2\n")
    line = ["run", "--only", "sagas", "--engine", "dramatiq", "--config", "tuned", "--quick", "--slots", "2"]
    ran = terminal.run([*line, "--json", "run.json"])
    about = json.loads((terminal.folder / "run.json").read_text())

    assert ran.returncode == 0, ran.stderr + ran.stdout
    assert '"processes": 2' in json.dumps(about)
    assert '"config_class": "tuned"' in json.dumps(about)


def test_a_promise_is_not_sold_for_speed(tmp_path: Path) -> None:
    """Nothing else is to be tried, so nothing is started, and recommended is as good as anything."""
    terminal = Terminal(tmp_path)
    line = ["tune", "--engine", "celery", "--set", "celery.broker=valkey", "--knob", "pool"]
    done = terminal.run([*line, "-o", "found.toml"])

    assert done.returncode == 0, done.stderr
    assert "pool=threads is not tried: it gives up timeout: " in done.stdout
    assert "nothing else keeps every promise, so nothing was tried; recommended is kept" in done.stdout
    assert tomllib.loads((terminal.folder / "found.toml").read_text())["settings"]["celery"] == {
        "broker": "valkey"
    }
    assert terminal.leftovers() == []


@thorough
def test_the_price_of_a_promise_can_be_seen(tmp_path: Path) -> None:
    """With --weaker it is measured, and not kept: the saga needs what is lost."""
    terminal = Terminal(tmp_path)
    line = ["tune", "--engine", "celery", "--set", "celery.broker=valkey", "--knob", "pool", "--weaker"]
    done = terminal.run([*line, *_SHORT, "--worth", "0", "--json", "tune.json"], _PATIENCE_S)
    (stage,) = json.loads((terminal.folder / "tune.json").read_text())["celery"]["stages"]
    threads = stage["tried"][1]

    assert done.returncode in (0, 1), done.stderr + done.stdout
    assert threads["changes"] == {"pool": "threads"}
    if threads["rates_per_s"]:
        assert threads["problem"].startswith("not kept, whatever it does: ")
    else:  # void, on a busy machine
        assert threads["problem"]
    assert stage["taken"] is None
    assert terminal.leftovers() == []
