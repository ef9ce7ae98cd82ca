"""What it takes to build: lines and settings of every engine, by capability."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bakeoff.cli.main import run
from bakeoff_bench.report.build import page_of
from bakeoff_bench.report.page import Table
from bakeoff_bench.report.sources import read_sources

LINES = {
    "temporal": {"timeout": 7, "cancel": 16, "what several share": 300},
    "inline": {"cancel": 2, "what several share": 150},
}
SETTINGS: dict[str, list[dict[str, Any]]] = {
    "temporal": [
        {"name": "database", "default": "memory", "recommended": "wal", "serves": ["broker_kill"]},
        {"name": "slots_back", "default": False, "recommended": True, "serves": ["timeout"]},
        {"name": "pollers", "default": 5, "recommended": 5, "serves": ["tuning"]},
    ]
}


def _table(tmp_path: Path, **more: object) -> Table:
    file = tmp_path / "lines.json"
    file.write_text(json.dumps({"kind": "lines", "format": 1, "engines": LINES, **more}))
    (found,) = [one for one in page_of(read_sources([file])).sections if one.id == "adapters"]
    (table,) = found.blocks
    assert isinstance(table, Table)
    return table


def test_settings_stand_beside_the_lines_of_the_same_capability(tmp_path: Path) -> None:
    table = _table(tmp_path, settings=SETTINGS)

    assert table.groups == [("temporal", 2), ("inline", 2)]
    assert table.columns == ["capability", "lines", "settings", "lines", "settings"]
    assert table.rows == [
        ["broker_kill", "0", "database memory \N{RIGHTWARDS ARROW} wal", "0", "-"],
        ["cancel", "16", "-", "2", "-"],
        ["timeout", "7", "slots_back false \N{RIGHTWARDS ARROW} true", "0", "-"],
        ["what several share", "300", "-", "150", "-"],
        ["tuning", "-", "pollers 5", "-", "-"],
        ["in all", "323", "2 of 3 changed", "152", "0 of 0 changed"],
    ]


def test_lines_that_were_kept_without_settings_are_shown_alone(tmp_path: Path) -> None:
    table = _table(tmp_path)

    assert table.columns == ["capability", "temporal", "inline"]
    assert table.rows[-1] == ["in all", "323", "152"]


@pytest.mark.parametrize(
    "settings", [[], {"temporal": [{"name": "x"}]}, {"temporal": 3}, {"temporal": ["x"]}]
)
def test_settings_that_cannot_be_read_are_one_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], settings: object
) -> None:
    file = tmp_path / "lines.json"
    file.write_text(json.dumps({"kind": "lines", "format": 1, "engines": LINES, "settings": settings}))

    assert run(["report", str(file), "-o", str(tmp_path / "r.html")]) == 2
    assert capfd.readouterr().err.count("\n") == 1
