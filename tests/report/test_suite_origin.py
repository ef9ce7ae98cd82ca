"""Day and machine of contract results and counted lines; those of an earlier bakeoff do not know them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bakeoff.errors import UsageError
from bakeoff_bench.report.origins import origin_of
from bakeoff_bench.report.sections import conditions
from bakeoff_bench.report.sources import read_sources

_MACHINE = {"system": "Linux", "python": "3.11.2", "cpus": 2, "memory_bytes": 8_000_000_000}
_ORIGIN = {"bakeoff": "0.1.0", "created_at": "2026-11-29T10:00:00+00:00", "machine": _MACHINE}
_ABOUT = {"title": "a", "versions": {}, "config_class": "ci", "settings": {}, "claims": {}}
_KEPT: dict[str, dict[str, Any]] = {
    "contract": {"format": 1, "command": "pytest --engine=a", "engines": {"a": _ABOUT}, "tests": {}},
    "lines": {"kind": "lines", "format": 1, "command": "bakeoff bench lines", "engines": {"a": {"order": 3}}},
}


def _kept(folder: Path, kind: str, **more: object) -> Path:
    file = folder / f"{kind}.json"
    file.write_text(json.dumps({**_KEPT[kind], **more}))
    return file


def _machines(file: Path) -> list[list[str]]:
    section = conditions.section(read_sources([file]))
    (table,) = [block for block in section.blocks if block.title == "Machine"]
    return [[str(cell) for cell in row] for row in table.rows]  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", _KEPT)
def test_a_report_names_them(tmp_path: Path, kind: str) -> None:
    file = _kept(tmp_path, kind, **_ORIGIN)
    (source,) = read_sources([file])
    origin = origin_of(source)

    assert origin.when == _ORIGIN["created_at"]
    assert origin.machine == "Linux, 2 CPUs, 8 GB"
    assert "bakeoff 0.1.0" in origin.versions
    assert [row[1:5] for row in _machines(file)] == [[kind, _ORIGIN["created_at"], "2", "8"]]


@pytest.mark.parametrize("kind", _KEPT)
def test_those_of_an_earlier_bakeoff_stay_readable(tmp_path: Path, kind: str) -> None:
    file = _kept(tmp_path, kind)
    (source,) = read_sources([file])
    origin = origin_of(source)

    assert (origin.when, origin.machine) == ("", "")
    assert _machines(file) == []


@pytest.mark.parametrize("kind", _KEPT)
@pytest.mark.parametrize(
    "damage", [{"created_at": 3}, {"machine": "mine"}, {"machine": {}}, {"bakeoff": None}]
)
def test_damage_is_told_before_anything_is_shown(
    tmp_path: Path, kind: str, damage: dict[str, object]
) -> None:
    file = _kept(tmp_path, kind, **{**_ORIGIN, **damage})

    with pytest.raises(UsageError, match=rf"{kind}\.json is damaged"):
        read_sources([file])
