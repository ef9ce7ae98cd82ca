"""Histories of one load after the other, as one."""

from __future__ import annotations

import json
from pathlib import Path

from bakeoff.history import read_history
from bakeoff_bench.load.histories import Histories


def _part(path: Path, began_at: float, lines: list[dict[str, object]], torn: str = "") -> Path:
    text = "\n".join(json.dumps(line) for line in ({"began_at": began_at}, *lines))
    path.write_text(f"{text}\n{torn}")
    return path


def _start(number: int, kind: str, workflow_id: str, at_s: float) -> dict[str, object]:
    return {"n": number, "type": kind, "op": "start", "workflow_id": workflow_id, "at_s": at_s}


def test_one_clock_and_one_row_of_numbers(tmp_path: Path) -> None:
    whole = Histories(tmp_path / "history.jsonl")
    early = [_start(1, "invoke", "a", 0.5), _start(1, "ok", "a", 0.6), _start(2, "invoke", "b", 0.7)]
    late = [_start(1, "invoke", "c", 0.5), _start(1, "ok", "c", 0.6)]
    whole.append([_part(tmp_path / "early", 100.0, early)])
    whole.append([_part(tmp_path / "late", 160.0, late), _part(tmp_path / "later", 200.0, late)])

    first, *lines = map(json.loads, (tmp_path / "history.jsonl").read_text().splitlines())
    assert first == {"began_at": 100.0}
    assert [line["n"] for line in lines] == [1, 1, 2, 3, 3, 4, 4]
    assert [line["at_s"] for line in lines] == [0.5, 0.6, 0.7, 60.5, 60.6, 100.5, 100.6]
    assert [one.workflow_id for one in read_history(tmp_path / "history.jsonl")] == ["a", "b", "c", "c"]


def test_the_torn_line_of_a_killed_generator_ends_its_part(tmp_path: Path) -> None:
    whole = Histories(tmp_path / "history.jsonl")
    whole.append([_part(tmp_path / "early", 100.0, [_start(1, "invoke", "a", 0.5)], torn='{"n": 2, "ty')])
    whole.append([_part(tmp_path / "late", 100.0, [_start(1, "invoke", "b", 0.5)])])

    assert [one.workflow_id for one in read_history(tmp_path / "history.jsonl")] == ["a", "b"]
