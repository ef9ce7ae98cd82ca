"""A load that was judged once is not judged again, unless anything has changed that its verdict rests on."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from bakeoff.cli.main import run
from bakeoff_bench.load import judged
from bakeoff_bench.report.sources import Source, read_sources

pytestmark = pytest.mark.service

#: In a kept result: shows that this and no new one was taken.
KEPT = "the title that was kept"


@pytest.fixture
def load(copy: Path) -> Path:
    """A load with a kept result that can be told from any other."""
    read_sources([copy / "load"])
    file = copy / "load" / judged.JUDGED
    found = json.loads(file.read_text())
    found["result"]["contestants"]["inline"]["title"] = KEPT
    file.write_text(json.dumps(found))
    return copy / "load"


def _read(load: Path) -> Source:
    (source,) = read_sources([load])
    return source


def _title(load: Path) -> str:
    return str(_read(load).contestants["inline"]["title"])


def test_a_second_page_takes_the_verdict_that_was_kept(load: Path) -> None:
    assert _title(load) == KEPT
    assert _title(load) == KEPT


def _saga_forgotten(load: Path) -> None:
    with sqlite3.connect(load / "inline" / "world.db") as ledger:
        ledger.execute("DELETE FROM ledger WHERE workflow_id = (SELECT min(workflow_id) FROM ledger)")
    ledger.close()


def _round_void(load: Path) -> None:
    file = load / "loads.jsonl"
    row = json.loads(file.read_text())
    row["measured"]["void"] = ["somebody else"]
    file.write_text(json.dumps(row) + "\n")


def _torn(load: Path) -> None:
    file = load / judged.JUDGED
    file.write_text(file.read_text()[:-20])


@pytest.mark.parametrize(
    ("change", "validity", "rounds_void"),
    [(_saga_forgotten, "invalid", 0), (_round_void, "valid", 1), (_torn, "valid", 0)],
)
def test_what_has_changed_is_judged_again(
    load: Path, change: Callable[[Path], None], validity: str, rounds_void: int
) -> None:
    change(load)
    source = _read(load)

    assert source.contestants["inline"]["title"] != KEPT
    assert source.contestants["inline"]["validity"] == validity
    assert [block["void"] for block in source.result["blocks"]] == [rounds_void]


def test_another_bakeoff_judges_again(load: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judged, "_code", lambda: "of another version")

    assert _title(load) != KEPT


def test_a_page_written_into_the_folder_changes_no_evidence(load: Path) -> None:
    (load / "report.html").write_text("a page")

    assert _title(load) == KEPT


def test_check_always_judges(load: Path, tmp_path: Path) -> None:
    run(["check", str(load), "--json", str(tmp_path / "r.json")])

    assert json.loads((tmp_path / "r.json").read_text())["contestants"]["inline"]["title"] != KEPT


def test_where_nothing_can_be_kept_it_is_judged_every_time(copy: Path) -> None:
    (copy / "load" / judged.JUDGED).unlink(missing_ok=True)
    (copy / "load" / judged.JUDGED).mkdir()

    assert _title(copy / "load") == _title(copy / "load")
