"""Stored load runs are compared, combined, exported; damaged and strange ones are refused."""

from __future__ import annotations

import csv
import json
import re
import shutil
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Refused
from tests.cli.terminal import Terminal
from tests.steady import run_steadily

pytestmark = [pytest.mark.service, pytest.mark.slow]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real one, of two short rounds."""
    terminal = Terminal(tmp_path_factory.mktemp("runs"))
    kept = terminal.folder / "kept"
    load = ("load", "--engine", "inline", "--rate", "12", "--duration", "4", "--warm-up", "1")
    line = [*load, "--rounds", "2", "--cpus", "0", "--out", "kept"]
    done = run_steadily(terminal, line, makes=["kept"], again=lambda _: not _counts(kept))
    assert done.returncode in (0, 1), done.stderr
    return kept


def _counts(kept: Path) -> bool:
    """Whether each round does: beside other tests one may not have kept up."""
    rows = [json.loads(line)["measured"] for line in (kept / "loads.jsonl").read_text().splitlines()]
    return all(not row["void"] and row["validity"] == "valid" and row["kept_up"] for row in rows)


def test_a_run_against_itself(terminal: Terminal, run: Path) -> None:
    done = terminal.run(["compare", str(run), str(run), "--fail-if", "p50:1%", "--json", "changes.json"])
    found = json.loads((terminal.folder / "changes.json").read_text())

    assert done.returncode == 0, done.stderr
    assert {one["metric"] for one in found} >= {"settled_per_s", "memory_bytes"}
    assert all(one["ratio"] == pytest.approx(1.0) for one in found)


def test_a_regression_ends_with_exit_code_one(terminal: Terminal, run: Path) -> None:
    slower = terminal.folder / "slower"
    shutil.copytree(run, slower)
    rows = [json.loads(line) for line in (slower / "loads.jsonl").read_text().splitlines()]
    for row in rows:
        row["measured"]["cost"]["roles"]["total"]["steady_memory_bytes"] *= 3
    (slower / "loads.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = terminal.run(["compare", str(run), "slower", "--fail-if", "memory_bytes:50%"])

    assert done.returncode == 1, done.stdout
    assert "worse than allowed: inline, 12/s: memory_bytes x 3.000" in done.stdout


def test_what_run_b_does_not_tell_ends_with_exit_code_one(terminal: Terminal, run: Path) -> None:
    overloaded = terminal.folder / "overloaded"
    shutil.copytree(run, overloaded)
    rows = [json.loads(line) for line in (overloaded / "loads.jsonl").read_text().splitlines()]
    for row in rows:
        row["measured"]["kept_up"] = False
    (overloaded / "loads.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = terminal.run(["compare", str(run), "overloaded", "--fail-if", "p50:50%"])

    assert done.returncode == 1, done.stdout
    assert "inline, 12/s: B tells no p50" in done.stderr + done.stdout


def test_best_rounds_of_run_b_pass_no_limit(terminal: Terminal, run: Path) -> None:
    """Its backlog grew in one of two rounds: the other one tells nothing of it."""
    partly = terminal.folder / "partly"
    shutil.copytree(run, partly)
    rows = [json.loads(line) for line in (partly / "loads.jsonl").read_text().splitlines()]
    for row in rows:
        row["measured"]["kept_up"] = row["round"] == 0
    (partly / "loads.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = terminal.run(["compare", str(run), "partly", "--fail-if", "p50:900%"])

    assert done.returncode == 1, done.stdout
    assert "inline, 12/s: B tells p50 of 1 of its 2 rounds that count" in done.stderr + done.stdout


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda file: file.write_bytes(file.read_bytes()[:-40]), r"settled\.hlog is damaged: "),
        (lambda file: file.write_text(file.read_text().replace(",HIST", ",XIST")), r"\.hlog is damaged: "),
        (lambda file: file.write_bytes(b""), r"\.hlog is damaged: it holds no histogram"),
        (lambda file: file.write_bytes(b"\xff\x00" * 50), r"\.hlog is damaged: "),
        (lambda file: file.unlink(), r"is damaged: there is no \S+-settled\.hlog"),
    ],
    ids=["cut off", "other letters", "empty", "binary", "missing"],
)
def test_a_damaged_histogram_is_named(refused: Refused, run: Path, damage: Any, reason: str) -> None:
    damaged = shutil.copytree(run, Path("damaged"))
    damage(next(damaged.glob("*/loads/r*/*-settled.hlog")))
    (damaged / "judged.json").unlink(missing_ok=True)

    assert re.search(reason, refused("check damaged"))


def test_two_runs_become_one(terminal: Terminal, run: Path) -> None:
    other = shutil.copytree(run, terminal.folder / "other")
    manifest = json.loads((other / "manifest.json").read_text())
    manifest["machine"]["cpus"] += 1
    manifest["contestants"]["inline"]["sustained"] = {"rate_per_s": 99.0}
    manifest |= {
        "round_s": 2.5,
        "machine_speed": {"lowest": 0.3, "highest": 1.0, "looks": 1000, "waited_s": 9.0},
    }
    (other / "manifest.json").write_text(json.dumps(manifest))
    done = terminal.run(["combine", str(run), str(other), "--out", "both"])
    check = terminal.run(["check", "both", "--json", "both.json"])
    alone = terminal.run(["check", str(run), "--json", "alone.json"])
    both, one = (json.loads((terminal.folder / name).read_text()) for name in ("both.json", "alone.json"))

    assert done.returncode == 0, done.stderr
    assert f"{other} was measured on another machine than {run}" in done.stderr
    assert check.returncode == alone.returncode
    assert "(2.5 s in rounds)" in check.stdout, "what was one run's own is still told"
    assert "this machine ran at 30% to " in check.stdout
    assert "and was waited for 9 s" in check.stdout
    assert [one["contestants"]["inline"] for one in both["combined"]] == [
        {},
        {"sustained": {"rate_per_s": 99.0}},
    ]
    assert "sustained" not in both["contestants"]["inline"], "what one run found is not that of both"
    assert both["validity"] == "valid"
    assert both["blocks"][0]["rounds"] == 2 * one["blocks"][0]["rounds"]
    assert both["blocks"][0]["arrived"] == 2 * one["blocks"][0]["arrived"]


@pytest.mark.parametrize("what", ["loads", "samples", "resources"])
def test_a_table_for_a_spreadsheet(terminal: Terminal, run: Path, what: str) -> None:
    done = terminal.run(["export", str(run), "--what", what, "--csv", "table.csv"])
    with (terminal.folder / "table.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))

    assert done.returncode == 0, done.stderr
    assert {row["contestant"] for row in rows} == {"inline"}
    assert f"{len(rows)} rows in table.csv" in done.stdout
    if what == "loads":
        assert [row["phase"] for row in rows] == ["check", "round", "round"]
        assert all(float(row["settled_per_s"]) > 0 for row in rows)


@pytest.mark.parametrize("what", ["samples", "resources"])
@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda file: file.write_bytes(file.read_bytes()[:-9]), "is damaged: "),
        (lambda file: file.write_bytes(b""), "is damaged: "),
        (lambda file: file.unlink(), "cannot be read: "),
    ],
    ids=["cut off", "empty", "missing"],
)
def test_a_damaged_table_is_named(refused: Refused, run: Path, what: str, damage: Any, reason: str) -> None:
    damaged = shutil.copytree(run, Path("damaged"))
    damage(next(damaged.glob(f"*/loads/r*/{what}.parquet")))

    assert re.search(rf"{what}\.parquet {reason}", refused(f"export damaged --what {what} --csv table.csv"))
    assert not Path("table.csv").exists()


def test_what_cannot_be_read_is_refused(refused: Refused, run: Path, home: Path) -> None:
    broken = home / "broken"
    shutil.copytree(run, broken)
    (broken / "loads.jsonl").write_text('{"contestant": "inline"}\n')
    future = home / "future"
    shutil.copytree(run, future)
    manifest = json.loads((future / "manifest.json").read_text())
    (future / "manifest.json").write_text(json.dumps({**manifest, "format": 99}))

    assert "is no folder of a load run" in refused("compare nowhere nowhere")
    assert "a load" in refused("compare broken broken")
    assert "format 2" in refused("export future --csv x.csv")
    assert "name at least two runs" in refused(["combine", str(run), "--out", "both"])
    assert "the same run is named twice" in refused(["combine", str(run), str(run), "--out", "both"])
    assert "--fail-if quick: write METRIC:PERCENT" in refused(
        ["compare", str(run), str(run), "--fail-if", "quick"]
    )
    assert sorted(path.name for path in home.iterdir()) == ["broken", "future"]


def test_runs_of_different_plans_are_not_pooled(refused: Refused, run: Path, home: Path) -> None:
    other = home / "other"
    shutil.copytree(run, other)
    manifest = json.loads((other / "manifest.json").read_text())
    manifest["plan"]["seconds"] = 5.0
    (other / "manifest.json").write_text(json.dumps(manifest))

    assert "has another plan" in refused(["combine", str(run), "other", "--out", "both"])


def test_a_share_that_was_another_rate_is_not_pooled(refused: Refused, run: Path, home: Path) -> None:
    """Half of what a contestant sustains is another load on another day."""
    other = home / "other"
    shutil.copytree(run, other)
    rows = [json.loads(line) for line in (other / "loads.jsonl").read_text().splitlines()]
    (other / "loads.jsonl").write_text(
        "".join(f"{json.dumps({**row, 'rate': 1.5 * row['rate']})}\n" for row in rows)
    )
    told = refused(["combine", str(run), "other", "--out", "both"])

    assert "other: 12/s of inline is 18.0 sagas/s, and 12.0 in " in told
    assert "Name the rate for both: bakeoff load --rate" in told


def test_a_run_of_an_earlier_bakeoff_stays_readable(terminal: Terminal) -> None:
    """Written by the first version that wrote such folders: it is never replaced, the next goes beside it."""
    with tarfile.open(Path(__file__).parent / "load-format-1.tar.gz") as stored:
        stored.extractall(terminal.folder, filter="data")
    done = terminal.run(["check", "run", "--json", "result.json"])
    result = json.loads((terminal.folder / "result.json").read_text())

    assert done.returncode == 0, done.stderr + done.stdout
    assert result["format"] == 1
    (block,) = result["blocks"]
    assert (block["arrived"], block["warm_up"]) == (16, 2)
    assert result["contestants"]["inline"]["counts"]["completed"] == 15
