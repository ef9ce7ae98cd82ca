"""``bakeoff report``: one page, whole, well-formed, and honest about what is not there."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
import shutil
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

from bakeoff.cli.main import run
from bakeoff_bench.report.build import page_of
from bakeoff_bench.report.page import Figure, Page, Table
from bakeoff_bench.report.sources import read_sources
from tests.report.conftest import Parsed
from tests.report.pages import MANY
from tests.report.synthetic import load_result, write

pytestmark = pytest.mark.service
_MOST_BYTES = 5_000_000

Capture = pytest.CaptureFixture[str]


def _page(*paths: Path) -> Page:
    return page_of(read_sources(paths))


def _parsed(tmp_path: Path, *paths: Path) -> Parsed:
    assert run(["report", *map(str, paths), "-o", str(tmp_path / "r.html")]) == 0
    return Parsed((tmp_path / "r.html").read_text())


def _section(page: Page, id_: str) -> str:
    """Everything that one section says."""
    (section,) = [one for one in page.sections if one.id == id_]
    return repr(section)


def test_page_is_well_formed_and_fetches_nothing(runs: Path, tmp_path: Path, capfd: Capture) -> None:
    page = _parsed(tmp_path, runs)

    assert page.unclosed == []
    assert page.fetched == []
    assert [id_ for id_, count in page.ids.items() if count > 1] == []
    assert page.links <= set(page.ids)
    assert page.tags["svg"] >= 5
    assert "written:" in capfd.readouterr().out


def test_every_part_that_was_given_has_its_section(runs: Path) -> None:
    ids = [section.id for section in _page(runs).sections]

    assert ids == [
        *("answer", "correctness", "contract", "crashes", "recovery", "load", "cost", "guarantees"),
        *("adapters", "time", "conditions", "unknown"),
    ]


def test_every_picture_has_its_numbers_and_every_row_its_cells(runs: Path) -> None:
    blocks = [block for section in _page(runs).sections for block in section.blocks]
    tables = [block if isinstance(block, Table) else block.table for block in blocks]

    assert all(block.table.rows and block.told for block in blocks if isinstance(block, Figure))
    assert [table.id for table in tables for row in table.rows if len(row) != len(table.columns)] == []


def test_the_answer_rests_on_what_it_links_to(runs: Path) -> None:
    page = _page(runs)
    table = page.sections[0].blocks[0]
    assert isinstance(table, Table)
    ids = {block.id for section in page.sections for block in section.blocks}
    ids |= {section.id for section in page.sections}
    linked = [one for row in table.rows for one in row if not isinstance(one, str)]

    assert {one.link for one in linked} <= ids
    assert all(one.link for one in linked)
    text = repr(table)
    assert "valid, 30 sagas" in text or "valid, 31 sagas" in text
    assert "2 of 2 harmed" in text
    assert "1 failed" in text


def test_harm_is_told_with_the_command_that_repeats_it(runs: Path) -> None:
    told = _section(_page(runs), "crashes")

    assert "2 times lost" in told
    assert "bakeoff crash --engine inline" in told
    assert "--point charge_payment.after_effect" in told
    assert "no saga came to harm" not in _section(_page(runs), "answer")


@pytest.mark.parametrize(
    ("survives", "told", "cell"),
    [
        ([], "inline came through too, but does not promise that", ", not promised"),
        (["worker_kill"], "So few kills prove little: after 2 without harm up to 66 % may", "0 of 2 harmed"),
    ],
)
def test_kills_without_harm_are_no_promise(runs: Path, survives: list[str], told: str, cell: str) -> None:
    """A few harmless kills look alike, whatever an engine says of itself."""
    (crash,) = read_sources([runs / "crash"])
    kills = [{**row, "outcome": "clean", "open": False} for row in crash.result["kills"]]
    about = {**crash.about["contestants"]["inline"], "survives": survives}
    manifest = {**crash.about, "contestants": {"inline": about}}
    harmless = replace(crash, result={**crash.result, "kills": kills, "manifest": manifest})
    answer = repr(page_of([harmless]).sections[0])

    assert told in answer
    assert cell in answer
    assert ("not promised" in answer) is not bool(survives)


def test_what_was_not_measured_is_a_question_and_no_verdict(runs: Path) -> None:
    alone = _page(runs / "first")

    assert "nothing of this kind is in the report" in _section(alone, "unknown")
    assert "bakeoff crash --out DIR" in _section(alone, "unknown")
    assert {section.id for section in alone.sections} & {"crashes", "load", "contract"} == set()


def test_words_of_others_are_words_and_not_html(runs: Path, tmp_path: Path) -> None:
    page = _parsed(tmp_path, runs / "contract.json")

    assert "<nobody> listens" in page.text
    assert page.tags["nobody"] == 0
    assert page.tags["b"] == 0


def test_a_saga_that_was_asked_for_is_drawn(runs: Path, tmp_path: Path) -> None:
    line = ["report", str(runs / "first"), "--saga", "order-123", "-o", str(tmp_path / "r.html")]

    assert run(line) == 0
    assert "order-123, completed (first)" in Parsed((tmp_path / "r.html").read_text()).text


def test_a_saga_of_a_load_is_not_drawn_and_who_tells_of_it_is_named(copy: Path, capfd: Capture) -> None:
    line = ["report", str(copy / "load"), "--saga", "order-123", "-o", str(copy / "r.html")]

    assert run(line) == 2
    printed = capfd.readouterr().err
    assert printed.count("\n") == 1
    assert f"told by: bakeoff trace {copy / 'load'} order-123" in printed
    assert not (copy / "r.html").exists()


def _lines_of_the_page() -> list[str]:
    text = (Path(__file__).parents[2] / "docs" / "report.md").read_text()
    return [line for block in text.split("```sh\n")[1:] for line in block.split("```")[0].splitlines()]


@pytest.mark.parametrize("line", _lines_of_the_page())
def test_the_lines_of_the_page_work(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    (tmp_path / "runs").symlink_to(runs)
    monkeypatch.chdir(tmp_path)
    program, *arguments = shlex.split(line, comments=True)

    assert program == "bakeoff"
    assert run(arguments) == 0


def test_an_unfinished_run_is_called_so(copy: Path) -> None:
    file = copy / "first" / "manifest.json"
    manifest = json.loads(file.read_text())
    file.write_text(json.dumps({**manifest, "complete": False}))

    told = _section(_page(copy / "first"), "correctness")

    assert "was broken off" in told


def test_nobody_is_sent_to_a_folder_that_is_gone(runs: Path) -> None:
    page = page_of(read_sources([runs / "first", runs / "crash"], unkept=runs / "first"))
    told = repr(page)

    assert str(runs / "first") not in told.replace("PosixPath", "")
    assert [(one.place, one.what) for one in page.made_of] == [
        ("DIR", "run"),
        (str(runs / "crash"), "crash"),
    ]
    assert "bakeoff trace DIR order-123" in told
    assert "(this run)" in told


def test_thousands_of_kills_stay_below_five_megabytes(copy: Path, tmp_path: Path) -> None:
    file = copy / "crash" / "kills.jsonl"
    kill = json.loads(file.read_text().splitlines()[0])
    points = [f"step_{n}.{where}" for n in range(20) for where in ("before_effect", "after_effect")]
    manifest = json.loads((copy / "crash" / "manifest.json").read_text())
    about = manifest["contestants"]["inline"]
    names = [f"engine-{n}" for n in range(12)]
    manifest["contestants"] = dict.fromkeys(names, about)
    manifest["series"][0] |= {"contestants": names, "points": points, "kills": 10}
    (copy / "crash" / "manifest.json").write_text(json.dumps(manifest))
    rows = (
        {**kill, "contestant": name, "point": point, "outcome": "retried", "recovery_s": 0.25, "open": False}
        for name in names
        for point in points
        for number in range(10)
    )
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))

    page = _parsed(tmp_path, copy / "crash")

    assert (tmp_path / "r.html").stat().st_size < _MOST_BYTES
    assert "0 of 400 harmed" in page.text


def test_hundreds_of_loads_stay_below_five_megabytes(tmp_path: Path, capfd: Capture) -> None:
    result = load_result(MANY, rounds=20, searched=12)
    file = write(tmp_path, "load.json", result)

    page = _parsed(tmp_path, file)

    assert len(result["loads"]) > 400
    assert (tmp_path / "r.html").stat().st_size < _MOST_BYTES
    assert "20 of 20" in page.text
    assert capfd.readouterr().err == ""


def test_a_page_that_is_larger_is_written_with_one_line_of_warning(
    copy: Path, tmp_path: Path, capfd: Capture
) -> None:
    contract = json.loads((copy / "contract.json").read_text())
    next(iter(contract["tests"].values()))["promise"] = "long " * 1_100_000
    (copy / "contract.json").write_text(json.dumps(contract))

    assert run(["report", str(copy / "contract.json"), "-o", str(tmp_path / "r.html")]) == 0

    printed = capfd.readouterr()
    assert (tmp_path / "r.html").stat().st_size > _MOST_BYTES
    assert printed.err.count("\n") == 1
    assert f"warning: {tmp_path / 'r.html'} is " in printed.err
    assert "more than 5, " in printed.err
    assert "written:" in printed.out


def test_no_script_runs_but_the_one_that_opens_tables_for_paper(runs: Path, tmp_path: Path) -> None:
    """Whatever words a stored run may hold."""
    assert run(["report", str(runs), "-o", str(tmp_path / "r.html")]) == 0
    html = (tmp_path / "r.html").read_text()
    (script,) = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    digest = b64encode(hashlib.sha256(script.encode()).digest()).decode()

    assert "beforeprint" in script
    policy = unescape(re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)[0])
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{digest}'" in policy


def test_a_saga_that_nobody_ran_is_told_with_some_that_were(runs: Path, capfd: Capture) -> None:
    assert run(["trace", str(runs / "first"), "order-0"]) == 2

    assert "no contestant ran a saga 'order-0'; the first are order-123, " in capfd.readouterr().err


def test_a_trace_as_json_adds_up(runs: Path, capfd: Capture) -> None:
    assert run(["trace", str(runs / "first"), "order-123", "--json"]) == 0

    (trace,) = json.loads(capfd.readouterr().out)
    whole_s = max(span["end_s"] for span in trace["spans"])
    assert sum(trace["shares_s"].values()) == pytest.approx(whole_s)
    assert [span["name"] for span in trace["spans"] if span["part"] == "execution"] == [
        "reserve_inventory",
        "charge_payment",
        "create_shipment",
        "send_confirmation",
    ]


def _remove(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def _write(name: str, text: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        (folder / name).write_text(text)

    return damage


@pytest.mark.parametrize(
    ("given", "damage", "told"),
    [
        ("nowhere", lambda folder: None, "nowhere: there is no such folder"),
        ("empty", lambda folder: (folder / "empty").mkdir(), "empty: nothing to report in it"),
        ("first", _write("first/manifest.json", "{"), "first/manifest.json is damaged"),
        ("first", _remove("first/inline/plan.jsonl"), "cannot be read"),
        ("crash", _write("crash/kills.jsonl", '{"x": 1}\n'), "kills.jsonl is damaged"),
        ("load", _remove("load/loads.jsonl"), "loads.jsonl cannot be read"),
        ("contract.json", _write("contract.json", "[]"), "the result is list, not an object"),
        ("contract.json", _write("contract.json", "no json"), "contract.json holds no results"),
        ("lines.json", _write("lines.json", '{"kind": "lines", "format": 1}'), "lines has no 'engines'"),
        ("first", lambda folder: shutil.rmtree(folder / "first" / "inline"), "inline"),
    ],
)
def test_what_cannot_be_read_is_one_line_and_nothing_is_written(
    copy: Path, tmp_path: Path, capfd: Capture, given: str, damage: Callable[[Path], None], told: str
) -> None:
    damage(copy)

    assert run(["report", str(copy / given), "-o", str(tmp_path / "r.html")]) == 2

    printed = capfd.readouterr()
    assert printed.err.count("\n") == 1
    assert told in printed.err
    assert not (tmp_path / "r.html").exists()


@pytest.mark.parametrize("output", ["no/folder/r.html", "."])
def test_a_page_that_cannot_be_written_is_refused_first(
    runs: Path, tmp_path: Path, capfd: Capture, output: str
) -> None:
    assert run(["report", str(runs), "-o", str(tmp_path / output)]) == 2

    assert f"-o {tmp_path / output}" in capfd.readouterr().err
