"""Results as JSON as sources: what they tell, and what they do not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bakeoff.cli.main import run
from bakeoff_bench.report.build import page_of
from bakeoff_bench.report.page import Figure, Page, Table
from bakeoff_bench.report.sources import read_sources

pytestmark = pytest.mark.service
Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def results(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `bakeoff check --json` writes of each: the same as the command that made it."""
    folder = tmp_path_factory.mktemp("results")
    for name in ("first", "crash", "load"):
        run(["check", str(runs / name), "--json", str(folder / f"{name}.json")])
    return folder


def _page(*paths: Path) -> Page:
    return page_of(read_sources(paths))


def _tables(page: Page, section: str) -> dict[str, list[Any]]:
    """``{title without the run's name: rows}``."""
    blocks = [block for one in page.sections if one.id == section for block in one.blocks]
    tables = [block.table if isinstance(block, Figure) else block for block in blocks]
    return {table.title.partition(" (")[0]: [list(row) for row in table.rows] for table in tables}


def _open_questions(page: Page) -> list[str]:
    (table,) = next(one.blocks for one in page.sections if one.id == "unknown")
    assert isinstance(table, Table)
    return [str(row[0]) for row in table.rows]


@pytest.mark.parametrize(
    ("name", "sections"),
    [
        ("first", ("correctness",)),
        ("crash", ("crashes", "recovery", "guarantees")),
        ("load", ("load", "cost")),
    ],
)
def test_a_result_tells_what_its_folder_tells(
    runs: Path, results: Path, name: str, sections: tuple[str, ...]
) -> None:
    of_folder, of_file = _page(runs / name), _page(results / f"{name}.json")

    for section in sections:
        whole, told = _tables(of_folder, section), _tables(of_file, section)
        assert told
        assert {title: whole[title] for title in told} == told
        assert {title for title in whole if title not in told} <= {
            "Latency of completed sagas, by percentile",
            "Latency of compensated sagas, by percentile",
        }


def test_what_only_the_folder_tells_is_an_open_question(results: Path) -> None:
    page = _page(results / "first.json", results / "load.json")

    assert "time" not in {section.id for section in page.sections}
    assert "where the time goes in first.json" in _open_questions(page)
    assert "the whole distribution of latencies in load.json" in _open_questions(page)
    assert "latency at every rate that was tried in load.json" not in _open_questions(page)
    assert all("as it was judged then" in one.what for one in page.made_of)


def test_an_older_result_without_single_loads_says_so(results: Path, tmp_path: Path) -> None:
    older = json.loads((results / "load.json").read_text())
    del older["loads"]
    (tmp_path / "older.json").write_text(json.dumps(older))

    page = _page(tmp_path / "older.json")

    assert "latency at every rate that was tried in older.json" in _open_questions(page)
    assert "Latency, seconds; durability: none" in _tables(page, "load")


def test_a_fault_under_load_is_told_without_its_curve(results: Path, tmp_path: Path) -> None:
    struck = json.loads((results / "load.json").read_text())
    struck["plan"]["fault"] = "worker-kill:charge_payment.after_effect"
    times = {"silent_s": 1.5, "recovery_s": None, "drained_s": 4.0}
    fault = {
        "missed": "",
        "at_s": 2.0,
        "in_flight": 3,
        "in_flight_lost": 1,
        "open_before": 1,
        "open_after": 4,
    }
    struck["loads"][0]["measured"]["fault"] = {**fault, **times}
    (tmp_path / "struck.json").write_text(json.dumps(struck))

    page = _page(tmp_path / "struck.json")

    ((row,),) = _tables(page, "struck").values()
    assert [getattr(one, "text", one) for one in row][4:] == ["3", "1", "1.5", "not seen", "4.0", "1 to 4"]
    assert "what settled second by second in struck.json" in _open_questions(page)


def test_a_result_of_the_whole_job_tells_all_its_parts(results: Path, tmp_path: Path) -> None:
    first, crash, load = (
        json.loads((results / f"{name}.json").read_text()) for name in ("first", "crash", "load")
    )
    (tmp_path / "whole.json").write_text(json.dumps({**first, "crash": crash, "load": load}))
    (tmp_path / "parts.json").write_text(json.dumps({"crash": crash}))

    assert [str(one.kind) for one in read_sources([tmp_path / "whole.json"])] == ["run", "crash", "load"]
    assert [one.name for one in read_sources([tmp_path / "whole.json"])] == ["whole.json", "crash", "load"]
    assert [str(one.kind) for one in read_sources([tmp_path / "parts.json"])] == ["crash"]


def test_nobody_is_sent_to_a_file_as_to_a_folder(results: Path) -> None:
    told = repr(_page(results / "crash.json").sections)

    assert f"bakeoff check {results}" not in told
    assert "bakeoff check DIR" in told


def _without(*names: str) -> Callable[[dict[str, Any]], object]:
    def damage(found: dict[str, Any]) -> object:
        for name in names[:-1]:
            found = found[name] if isinstance(found, dict) else found[int(name)]
        return found.pop(names[-1])

    return damage


@pytest.mark.parametrize(
    ("name", "damage", "told"),
    [
        ("load", _without("blocks"), "the load has no 'blocks'"),
        ("load", _without("blocks", "0", "latencies"), "a block has no 'latencies'"),
        ("load", lambda found: found.update(format=9), "it has format 9; this bakeoff reads format 1 and 2"),
        ("load", _without("contestants", "inline", "slug"), "inline has no 'slug'"),
        ("crash", _without("manifest", "series"), "its manifest has no 'series'"),
        ("crash", lambda found: found["kills"].append({}), "a kill has no 'series'"),
        ("first", _without("engines", "inline", "validity"), "inline has no 'validity'"),
        ("first", lambda found: found.clear(), "holds no results (`--json FILE`"),
        ("load", lambda found: found.update(kind="facts"), "holds no results (`--json FILE`"),
    ],
)
def test_a_damaged_result_is_one_line(
    results: Path,
    tmp_path: Path,
    capfd: Capture,
    name: str,
    damage: Callable[[dict[str, Any]], object],
    told: str,
) -> None:
    file = Path(shutil.copy(results / f"{name}.json", tmp_path / "damaged.json"))
    found = json.loads(file.read_text())
    damage(found)
    file.write_text(json.dumps(found))

    assert run(["report", str(file), "-o", str(tmp_path / "r.html")]) == 2

    printed = capfd.readouterr().err
    assert printed.count("\n") == 1
    assert "damaged.json" in printed
    assert told in printed
