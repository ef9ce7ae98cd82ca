"""The matrix at the end of the contract suite: nothing is lost, however narrow the terminal."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

import pytest

from bakeoff.contract.matrix import matrix_lines
from bakeoff.contract.results import Result, Results
from bakeoff.contract.session import REVIEWED
from bakeoff.contract.statuses import ContractStatus

_END = "- not supported, ? unknown"


def _result(test: str, label: str, status: ContractStatus, reason: str = "") -> Result:
    return Result(test=test, label=label, status=status, promise="", needs=(), reason=reason)


def _reviewed(labels: Collection[str] = ()) -> Results:
    """The whole reviewed matrix, or these columns of it."""
    results = Results(Path("/nowhere"))
    for label, column in json.loads(REVIEWED.read_text()).items():
        for test, status in column.items() if not labels or label in labels else ():
            results.add(_result(test, label, ContractStatus(status), "because"))
    return results


def _tables(lines: list[str]) -> list[str]:
    return lines[: lines.index(_END)]


def _shown(results: Results) -> set[str]:
    """The name of every test, without spaces, which are where it breaks."""
    return {test.partition("::test_")[2].replace(" ", "") for test in results.tests()}


def test_all_engines_at_80_columns_have_numbers_that_are_told_first() -> None:
    results = _reviewed()
    lines = _tables(matrix_lines(results, 80))
    labels = results.labels()

    assert max(map(len, lines)) <= 80
    assert lines[: len(labels) + 1] == [*(f"{n} {label}" for n, label in enumerate(labels, 1)), ""]
    heads = [line.split() for line in lines[len(labels) + 1 :] if line.startswith("test_")]
    assert [head[0] for head in heads] == list(dict.fromkeys(t.split("::")[0] for t in results.tests()))
    assert all(head[1:] == [str(n) for n, _ in enumerate(labels, 1)] for head in heads)


@pytest.mark.parametrize("width", [60, 80, 140])
def test_no_test_and_no_status_is_lost(width: int) -> None:
    """Names may go on in the next line, statuses do not."""
    results = _reviewed(["celery[valkey]", "inline", "temporal"])
    lines = _tables(matrix_lines(results, width))
    text = "".join(line.split("  ")[0].replace(" ", "") for line in lines)

    assert max(map(len, lines)) <= width
    assert [test for test in sorted(_shown(results)) if test not in text] == []
    cells = [word for line in lines for word in line.split("  ")[1:] if word.strip() in ("ok", "-", "?")]
    assert len(cells) == len(results.found)


def test_one_engine_keeps_its_name() -> None:
    lines = _tables(matrix_lines(_reviewed(["celery[valkey]"]), 80))

    assert lines[0].split() == ["test_cancel", "celery[valkey]"]
    assert next(line.split() for line in lines if "mid_saga" in line) == ["cancel_mid_saga_compensates", "-"]
    assert max(map(len, lines)) <= 80


def test_where_there_is_room_engines_stand_above_their_columns() -> None:
    results = _reviewed()
    lines = matrix_lines(results, 250)

    assert lines[0].split() == ["test_cancel", *results.labels()]
    assert not [line for line in _tables(lines) if line.startswith("[")]  # no name had to break


def test_tests_of_a_module_stand_together_and_a_gap_is_no_status() -> None:
    results = Results(Path("/nowhere"))
    results.add(_result("test_a::test_early", "inline", ContractStatus.PASSED))
    results.add(_result("test_b::test_other", "inline", ContractStatus.PASSED))
    results.add(_result("test_a::test_late", "temporal", ContractStatus.UNKNOWN, "nobody knows"))

    assert matrix_lines(results, 80)[:7] == [
        *("test_a  inline  temporal", "early   ok", "late            ?", ""),
        *("test_b  inline  temporal", "other   ok", ""),
    ]


def test_what_is_not_passed_is_told_once_and_sums_come_last() -> None:
    results = Results(Path("/nowhere"))
    for parameter in ("a", "b"):
        absent = "signals: there are none"
        results.add(_result(f"test_x::test_y[{parameter}]", "x", ContractStatus.NOT_SUPPORTED, absent))
    results.add(_result("test_x::test_z", "x", ContractStatus.FAILED, "\nassert 1 == 2\n where 1"))

    lines = matrix_lines(results, 80)
    assert lines[:4] == ["test_x  x", "y [a]   -", "y [b]   -", "z       FAILED"]
    assert lines[lines.index(_END) + 1 :] == [
        "- x: signals: there are none",
        "FAILED x: test_x::test_z: assert 1 == 2",
        "",
        "x: 1 failed, 2 not supported",
    ]
