"""The client's history survives its own interruption."""

from __future__ import annotations

from pathlib import Path

import pytest

from bakeoff.errors import StartUnknownError, UsageError
from bakeoff.history import History, breaks_off, read_history


def _write(path: Path) -> None:
    with History(path) as history:
        with history.operation("start", "a") as answer:
            answer.value = True
        with pytest.raises(ValueError, match="no"), history.operation("signal", "a"):
            raise ValueError("no")
        with pytest.raises(StartUnknownError), history.operation("start", "b"):
            raise StartUnknownError("broken pipe")


def test_operations_are_ok_failed_or_unknown(tmp_path: Path) -> None:
    _write(tmp_path / "h.jsonl")
    operations = read_history(tmp_path / "h.jsonl")

    assert [(one.name, one.workflow_id, one.completion) for one in operations] == [
        ("start", "a", "ok"),
        ("signal", "a", "failed"),
        ("start", "b", "unknown"),
    ]
    assert operations[0].value is True
    assert operations[1].error == "ValueError: no"


def test_an_answer_that_is_no_json_is_unknown_and_not_cut_off(tmp_path: Path) -> None:
    """An engine of somebody else's may answer with anything; the file is whole all the same."""
    path = tmp_path / "h.jsonl"
    with History(path) as history, pytest.raises(TypeError), history.operation("start", "a") as answer:
        answer.value = object()

    [operation] = read_history(path)
    assert (operation.completion, operation.completed_at_s is None) == ("unknown", False)
    assert not breaks_off(path)


def test_operation_without_its_second_line_is_unknown(tmp_path: Path) -> None:
    path = tmp_path / "h.jsonl"
    _write(path)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:-1], '{"n":3,"ty']))

    assert read_history(path)[-1].completion == "unknown"


def test_broken_line_in_the_middle_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "h.jsonl"
    _write(path)
    path.write_text("no json\n" + path.read_text())

    with pytest.raises(UsageError, match="line 1: not JSON"):
        read_history(path)
