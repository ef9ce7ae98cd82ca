"""The file of tuned values: what one search writes, the next one keeps."""

from __future__ import annotations

from pathlib import Path

import pytest

from bakeoff.errors import UsageError
from bakeoff.tuned import read_tuned_file
from bakeoff_bench.tune.found import check_writable, store


def test_what_was_stored_is_read(tmp_path: Path) -> None:
    file = tmp_path / "found.toml"
    store(file, "celery", {"prefetch": 8, "eager": True, "lease": 1.5, "broker": "rabbitmq"}, {"ratio": 1.2})

    assert read_tuned_file(file, "it").values["celery"] == {
        "prefetch": 8,
        "eager": True,
        "lease": 1.5,
        "broker": "rabbitmq",
    }
    assert list(tmp_path.iterdir()) == [file]


def test_other_engines_and_comments_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "found.toml"
    store(file, "celery", {"prefetch": 8}, {"ratio": 1.2, "low": None})
    file.write_text("# mine\n" + file.read_text())
    store(file, "dramatiq", {"processes": 2}, {"ratio": 1.1})
    store(file, "celery", {}, {"ratio": 1.0})
    text = file.read_text()

    assert read_tuned_file(file, "it").values == {"celery": {}, "dramatiq": {"processes": 2}}
    assert "# mine" in text
    assert text.count("[evidence.celery]") == 1
    assert "ratio = 1.0" in text
    assert "]\n[" not in text


def test_a_file_of_somebody_else_is_not_touched(tmp_path: Path) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text("[project]\nname = 'x'\n")
    with pytest.raises(UsageError, match="has format None"):
        check_writable(file)

    assert file.read_text() == "[project]\nname = 'x'\n"


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        check_writable(tmp_path / "nowhere" / "found.toml")


@pytest.mark.parametrize(
    "text", ["format = 1\nevidence = 3\n", "format = 1\nsettings = {celery = {x = 1}}\n"]
)
def test_a_file_that_could_not_be_edited_is_told_before_anything_is_measured(
    tmp_path: Path, text: str
) -> None:
    file = tmp_path / "found.toml"
    file.write_text(text)
    with pytest.raises(UsageError, match="is no table of its own"):
        check_writable(file)

    assert file.read_text() == text
    assert list(tmp_path.iterdir()) == [file]
