"""Code and files that pages show: what is written there works, and is what it is said to be."""

from __future__ import annotations

import ast
import os
import runpy
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bakeoff.bridge.commands import command_of
from bakeoff.cli.main import run
from bakeoff.orders.loader import load_orders
from bakeoff.plugins import Plugins
from bakeoff.tuned import read_tuned
from tests.docs.fences import ROOT, block_of

_EXAMPLE = ROOT / "docs" / "examples" / "onboarding.py"


def _executed(page: str, opening: str, folder: Path) -> dict[str, Any]:
    """The names that a block of Python leaves behind."""
    file = folder / "block.py"
    file.write_text(block_of(page, opening).text)
    return runpy.run_path(str(file))


def test_a_command_of_your_own(tmp_path: Path) -> None:
    """docs/bridge.md: the function is what the decorator says."""
    names = _executed("docs/bridge.md", "from bakeoff.bridge.commands import command", tmp_path)

    found = command_of(names["add_points"])
    assert (found.address.service, found.address.command) == ("LoyaltyService", "addPoints")
    assert (found.event, found.identified_by) == ("pointsAdded", "orderId")


def _with_installed(
    folder: Path, files: Mapping[str, str], entry_points: str, command: list[str]
) -> subprocess.CompletedProcess[str]:
    """Run Python where a package with these files is installed; ``entry_points`` are those of its TOML."""
    about = folder / "a_package-1.dist-info"
    about.mkdir()
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: a-package\nVersion: 1\n")
    listed = tomllib.loads(entry_points)["project"]["entry-points"]
    lines = [
        line
        for group, entries in listed.items()
        for line in (f"[{group}]", *(f"{name} = {module}" for name, module in entries.items()))
    ]
    (about / "entry_points.txt").write_text("\n".join(lines))
    return subprocess.run(
        [sys.executable, *command],
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_command_of_a_plug_in(tmp_path: Path) -> None:
    """docs/cli.md: installed as its two blocks say, and found by its entry point."""
    files = {
        "my_package/__init__.py": "",
        "my_package/my_commands.py": block_of("docs/cli.md", "import typer").text,
    }
    entry_points = block_of("docs/cli.md", "[project.entry-points").text
    assert "`bakeoff greet World`" in (ROOT / "docs" / "cli.md").read_text()

    done = _with_installed(tmp_path, files, entry_points, ["-m", "bakeoff", "greet", "World"])

    assert (done.returncode, done.stdout) == (0, "Hello World\n"), done.stderr


def test_a_bridge_of_a_plug_in(tmp_path: Path) -> None:
    """docs/bridge.md: the same; tests/bridge/test_plugged.py sends something over one."""
    files = {
        "bakeoff_pigeons/__init__.py": block_of("docs/bridge.md", "from bakeoff.hookspecs").text,
        "bakeoff_pigeons/pigeons.py": (
            "from bakeoff.bridge.over_nats import OverNats\nclass Pigeons(OverNats): schemes = ()\n"
        ),
    }
    entry_points = block_of("docs/bridge.md", "[project.entry-points").text
    script = "from bakeoff.bridge.bridges import choose_bridge; print(choose_bridge('pigeons').name)"

    done = _with_installed(tmp_path, files, entry_points, ["-c", script])

    assert (done.returncode, done.stdout) == (0, "pigeons\n"), done.stderr


def test_statistics_in_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """docs/statistics.md."""
    names = _executed("docs/statistics.md", "from bakeoff_bench.significance import", tmp_path)
    rounds, sentence = capsys.readouterr().out.splitlines()

    assert int(rounds.split()[0]) == names["plan"].rounds
    assert len(names["measured"]["celery"]) == names["plan"].rounds
    assert sentence.startswith("celery is ")
    assert " below temporal" in sentence


def test_the_orders_of_the_page_can_be_read(tmp_path: Path) -> None:
    """docs/orders-file.md: both formats say the same of order 1001, as far as both say it."""
    (tmp_path / "orders.csv").write_text(block_of("docs/orders-file.md", "order_id,sku").text)
    (tmp_path / "orders.jsonl").write_text(block_of("docs/orders-file.md", '{"order_id"').text)

    table, lines = (load_orders(str(tmp_path / name)) for name in ("orders.csv", "orders.jsonl"))

    assert [one.order_id for one in table.orders] == ["1001", "1002"]
    (order,) = lines.orders
    assert order.order_id == "1001"
    assert order.lines[0] == table.orders[0].lines[0]
    assert (table.rejected, lines.rejected) == ((), ())


@pytest.mark.parametrize("opening", ["def screen_user", "def facts"])
def test_the_page_shows_the_example(opening: str) -> None:
    """docs/own-saga.md, of docs/examples/onboarding.py; the page leaves docstrings out."""

    def body(text: str) -> str:
        (function,) = [
            one
            for one in ast.parse(text).body
            if isinstance(one, ast.FunctionDef) and opening == f"def {one.name}"
        ]
        if ast.get_docstring(function):
            function.body = function.body[1:]
        return ast.unparse(function)

    assert body(block_of("docs/own-saga.md", opening).text) == body(_EXAMPLE.read_text())


@pytest.mark.service
def test_the_folder_of_a_run_holds_what_the_page_lists(tmp_path: Path) -> None:
    """docs/run.md; logs are of servers and workers, which inline has not."""
    kept = tmp_path / "kept"
    line = [
        "run",
        "--only",
        "sagas",
        "--engine",
        "inline",
        "--count",
        "4",
        "--rounds",
        "1",
        "--out",
        str(kept),
    ]
    assert run(line) == 0
    listed = [line.split()[0] for line in block_of("docs/run.md", "manifest.json").text.splitlines()]

    missing = [one for one in listed if not (kept / one.replace("ENGINE", "inline")).exists()]
    assert set(missing) <= {"ENGINE/logs/"}


def test_the_tuned_file_of_the_page_is_used(tmp_path: Path) -> None:
    """docs/tune.md."""
    file = tmp_path / "bakeoff-tuned.toml"
    file.write_text(block_of("docs/tune.md", "format = 1").text)

    found = read_tuned({"BAKEOFF_TUNED": str(file)})

    assert found.of("celery", Plugins().engine("celery").info().settings) == {
        "worker_prefetch_multiplier": "4"
    }
