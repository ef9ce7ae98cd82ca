"""A reviewed matrix that cannot be one is refused: compared with nothing, everything would be green."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bakeoff.contract.results import Results
from bakeoff.contract.statuses import ContractStatus
from bakeoff.errors import UsageError


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is not JSON"),
        (b"{", "it is not JSON"),
        (b"\xff\xfe", "it is not JSON"),
        (b"[]", "it is not {engine: {test: status}}"),
        (b"null", "it is not {engine: {test: status}}"),
        (b'{"inline": "passed"}', "it is not {engine: {test: status}}"),
        (b'{"inline": {"test_x::test_y": "pased"}}', "test_x::test_y on inline is 'pased'; known are passed"),
        (b'{"inline": {"test_x::test_y": null}}', "test_x::test_y on inline is None"),
    ],
)
def test_what_is_no_matrix_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    """The message names the file and what is wrong."""
    file = tmp_path / "reviewed.json"
    file.write_bytes(content)

    with pytest.raises(UsageError) as caught:
        Results(file)

    assert str(file) in str(caught.value)
    assert reason in str(caught.value)


def test_a_folder_is_no_matrix(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="it cannot be read: Is a directory"):
        Results(tmp_path)


def test_a_matrix_tells_what_was_reviewed(tmp_path: Path) -> None:
    file = tmp_path / "reviewed.json"
    file.write_text(json.dumps({"inline": {"test_x::test_y": "not supported"}}))
    results = Results(file)

    assert results.reviewed_status("test_x::test_y", "inline") is ContractStatus.NOT_SUPPORTED
    assert results.reviewed_status("test_x::test_z", "inline") is None
