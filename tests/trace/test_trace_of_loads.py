"""``bakeoff trace`` on the folder of a load run: the same trace, of what a generator sent."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from bakeoff.cli.main import run
from bakeoff_bench.trace import Part, traces_of
from bakeoff_bench.trace.reading import parts_of

Capture = pytest.CaptureFixture[str]

_STORED = Path(__file__).parents[1] / "runs" / "load-format-1.tar.gz"


@pytest.fixture
def load(tmp_path: Path) -> Path:
    """A load run of ``inline``, kept by the first bakeoff that kept such folders."""
    with tarfile.open(_STORED) as stored:
        stored.extractall(tmp_path, filter="data")
    return tmp_path / "run"


def _some_id(load: Path) -> str:
    return next(traces_of(load / "inline", "inline")).workflow_id


def test_a_saga_of_a_load_is_told_moment_by_moment(load: Path, capfd: Capture) -> None:
    workflow_id = _some_id(load)

    assert run(["trace", str(load), workflow_id, "--json"]) == 0

    (trace,) = json.loads(capfd.readouterr().out)
    assert (trace["engine"], trace["status"]) == ("inline", "completed")
    assert sum(trace["shares_s"].values()) == pytest.approx(max(one["end_s"] for one in trace["spans"]))
    assert trace["shares_s"][Part.EXECUTION] > 0
    assert [one["name"] for one in trace["spans"] if one["part"] == Part.EXECUTION] == [
        *("reserve_inventory", "charge_payment", "create_shipment", "send_confirmation")
    ]


def test_every_saga_of_a_load_has_a_trace_as_long_as_it_lasted(load: Path) -> None:
    found = list(traces_of(load / "inline", "inline"))
    (row,) = [json.loads(line) for line in (load / "loads.jsonl").read_text().splitlines()]

    assert len(found) == row["measured"]["arrived"] + row["measured"]["warm_up"]
    assert {one.status for one in found} == {"completed", "compensated"}
    assert all(0 < one.seconds < 60 for one in found), "moments of ledger and history are of one clock"


def test_a_table_for_people_names_the_contestant(load: Path, capfd: Capture) -> None:
    workflow_id = _some_id(load)

    assert run(["trace", str(load), workflow_id]) == 0

    printed = capfd.readouterr().out
    assert f"{workflow_id}: where its seconds went" in printed
    assert "inline" in printed
    assert "charge_payment" in printed


def test_a_saga_that_no_load_sent_is_told_with_some_that_were(load: Path, capfd: Capture) -> None:
    assert run(["trace", str(load), "order-0"]) == 2

    assert f"no contestant ran a saga 'order-0'; the first are {_some_id(load)}, " in capfd.readouterr().err


def test_every_part_of_runs_that_were_combined_is_looked_through(load: Path) -> None:
    (load / "inline").rename(load / "inline-1")
    (load / "inline-2").symlink_to(load / "inline-1")

    def combined(about: dict[str, Any]) -> dict[str, Any]:
        return {**about, "parts": ["inline-1", "inline-2", "inline-3"]}

    manifest = json.loads((load / "manifest.json").read_text())
    manifest["contestants"] = {label: combined(about) for label, about in manifest["contestants"].items()}
    (load / "manifest.json").write_text(json.dumps(manifest))

    assert parts_of(load) == {
        "inline (inline-1)": load / "inline-1",
        "inline (inline-2)": load / "inline-2",
    }, "one that ended before its first load has no history"
