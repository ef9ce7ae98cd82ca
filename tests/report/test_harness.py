"""What the harness itself costs: adapters beside natives, as ``bakeoff bench overhead --json`` keeps them."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bakeoff.cli.main import run
from bakeoff_bench.overhead.conduct import Measured
from bakeoff_bench.overhead.domain_cost import DomainCost
from bakeoff_bench.overhead.result import added, begun
from bakeoff_bench.overhead.turn import Window
from bakeoff_bench.report.build import page_of
from bakeoff_bench.report.page import Cell, Mood, Page, Section, Table
from bakeoff_bench.report.sources import read_sources
from bakeoff_bench.tune.show import show
from tests.report.synthetic import NOTE


def _window(cpu_ms: float, per_s: float) -> Window:
    return Window(cpu_ms=cpu_ms, per_s=per_s, idle_p50_ms=3.0, cpu_ms_by_part={"workers": cpu_ms})


def _measured(label: str = "celery[valkey]", note: str = "") -> Measured:
    """The adapter takes a tenth more CPU in every round, and is as fast."""
    rounds = []
    for noise in (0.99, 1.0, 1.01):
        native = _window(10.0 * noise, 40.0)
        adapter = replace(native, cpu_ms=11.0 * noise * noise)
        rounds.append(
            {"adapter": {"noop": adapter, "order": adapter}, "native": {"noop": native, "order": native}}
        )
    return Measured(
        label=label,
        rounds=rounds,
        ceilings=[60.0],
        writers=(1, 4),
        offered_per_s=100.0,
        differences=[("task.typing", "False", "True")],
        versions={"celery": "5"},
        note=note,
        whole=True,
    )


def _section(result: dict[str, Any], folder: Path) -> Section:
    (found,) = [one for one in _page(result, folder).sections if one.id == "harness"]
    return found


def _begun() -> dict[str, Any]:
    return begun("recommended", 3, 20, 4, DomainCost([1.4, 1.5, 1.6]))


def test_ratios_are_held_against_their_targets(tmp_path: Path) -> None:
    section = _section(added(_begun(), [_measured()], complete=True), tmp_path)
    ratios, ceilings, generators, differences = section.blocks

    assert isinstance(ratios, Table)
    assert [str(one) for one in ratios.rows[0][:6]] == [
        *("celery[valkey]", "noop", "CPU per saga", "11.00 ms", "10.00 ms", "1.100")
    ]
    assert [row[-1] for row in ratios.rows[:2]] == [
        Cell(text="MISSED", mood=Mood.CAUTION),
        Cell(text="met", mood=Mood.GOOD),
    ]
    assert "n = 3 rounds of 20 sagas" in ratios.conditions
    assert isinstance(ceilings, Table)
    assert ceilings.rows == [["celery[valkey]", "40", "60", "1 x 4", "67%  World-bound"]]
    assert isinstance(generators, Table)
    assert generators.rows[0][-1] == Cell(text="MISSED", mood=Mood.CAUTION), "2.5 times what it takes"
    assert isinstance(differences, Table)
    assert differences.rows == [["celery[valkey]", "task.typing", "False", "True"]]
    assert any("1.50 ms of CPU per order" in one for one in section.lead)


def _page(result: dict[str, Any], folder: Path) -> Page:
    file = folder / "overhead.json"
    file.write_text(json.dumps(result))
    return page_of(read_sources([file]))


def _rows(page: Page, id_: str) -> list[list[str]]:
    """Of one table, as words."""
    (table,) = [block for section in page.sections for block in section.blocks if block.id == id_]
    assert isinstance(table, Table)
    return [[one if isinstance(one, str) else one.text for one in row] for row in table.rows]


def test_a_note_stands_with_every_rate_that_it_is_about(tmp_path: Path) -> None:
    measured = [_measured(), _measured("temporal", NOTE)]
    page = _page(added(_begun(), measured, complete=True), tmp_path)
    (harness,) = [one for one in page.sections if one.id == "harness"]
    rules = {row[0].partition(" ")[0]: row[1:] for row in _rows(page, "conditions-rules")}
    questions = [row[1] for row in _rows(page, "unknown-list")]

    assert [f"temporal: {NOTE}." in block.conditions for block in harness.blocks] == [True] * 3 + [False]
    assert rules["17"] == ["yes", f"its note stands in the conditions: {NOTE}"]
    assert f"a stand-in was measured: temporal: {NOTE}" in questions


def test_rounds_of_a_contestant_that_was_broken_off_count(tmp_path: Path) -> None:
    broken_off = replace(_measured("temporal"), offered_per_s=None, differences=(), whole=False)
    result = added({**_begun(), "rounds": 10}, [_measured(), broken_off], complete=False)
    section = _section(result, tmp_path)
    ratios, _, generators, _ = section.blocks

    assert isinstance(ratios, Table)
    assert {row[0] for row in ratios.rows} == {"celery[valkey]", "temporal"}
    assert "temporal: broken off after 3 of 10 rounds." in ratios.conditions
    assert isinstance(generators, Table)
    assert generators.rows[1] == ["temporal", *["-"] * 4, "not looked at: broken off before"]


def test_contestants_stand_in_the_conditions_with_their_versions(tmp_path: Path) -> None:
    page = _page(added(_begun(), [_measured(), _measured("temporal", NOTE)], complete=True), tmp_path)
    rules = {row[0].partition(" ")[0]: row[1:] for row in _rows(page, "conditions-rules")}

    assert _rows(page, "conditions-contestants") == [
        ["celery[valkey]", "recommended", "", "not told", "not told", "celery 5"],
        ["temporal", "recommended", NOTE, "not told", "not told", "celery 5"],
    ]
    assert "celery 5" in page.made_of[0].versions
    assert rules["11"][1] == "classes here: recommended; 1 x 4 slots"


def test_a_result_from_before_notes_were_kept_breaks_the_rule(tmp_path: Path) -> None:
    older = added(_begun(), [_measured("temporal")], complete=True)
    del older["contestants"][0]["note"]
    rules = {row[0].partition(" ")[0]: row[1:] for row in _rows(_page(older, tmp_path), "conditions-rules")}

    assert rules["17"] == ["no", "no note says which server it was: temporal (overhead.json)"]


def test_the_search_for_settings_tells_the_note_beside_its_rates(capsys: pytest.CaptureFixture[str]) -> None:
    tried: dict[str, Any] = {"changes": {}, "rates_per_s": [14.0, 15.0], "ratio": None, "problem": ""}
    stages = [{"knob": "workflow_pollers", "tried": [tried], "taken": None}]
    show("temporal", {"stages": stages, "word": "nothing was faster; recommended is kept"})

    printed = capsys.readouterr().out
    assert f"temporal, unless --set says otherwise: {NOTE}" in printed


def test_what_was_broken_off_says_so(tmp_path: Path) -> None:
    section = _section(added(_begun(), [_measured()], complete=False), tmp_path)

    assert isinstance(section.blocks[0], Table)
    assert "broken off" in section.blocks[0].conditions


def test_one_that_an_earlier_bakeoff_wrote_is_passed_over_in_a_folder(runs: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(runs / "first", tmp_path / "first")
    (copy / "overhead.json").write_text(json.dumps({"domain_cpu_ms": 1.5, "contestants": []}))

    assert [one.kind for one in read_sources([copy])] == ["run"]


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ({"format": 9}, "format 9"),
        ({"contestants": [{"label": "x"}]}, "'comparisons'"),
        ({"domain_cpu_ms": "much"}, "'domain_cpu_ms'"),
        ({"contestants": [{**_measured().to_json(), "comparisons": {}}]}, "'noop'"),
        ({"contestants": [{**_measured().to_json(), "note": 3}]}, "'note'"),
        ({"contestants": [{**_measured().to_json(), "differences": [["x"]]}]}, "[setting, adapter, native]"),
    ],
)
def test_damage_is_one_line(
    tmp_path: Path, damage: dict[str, Any], told: str, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "overhead.json"
    file.write_text(json.dumps(added(_begun(), [_measured()], complete=True) | damage))

    assert run(["report", str(file), "-o", str(tmp_path / "page.md")]) == 2

    printed = capfd.readouterr().err
    assert told in printed
    assert printed.count("\n") == 1
