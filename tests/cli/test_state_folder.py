"""A state folder is whose it is: nothing of the user's is removed, and two never hold it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bakeoff.cli.state import held_state, read_state
from bakeoff.errors import UsageError


def test_a_file_of_the_users_that_is_called_so_stays(tmp_path: Path) -> None:
    mine = tmp_path / "up.json"
    for text in ('{"mine": 1}', "notes"):
        mine.write_text(text)
        with pytest.raises(UsageError, match=r"its up\.json is none of bakeoff's"), held_state(tmp_path):
            pass
        assert mine.read_text() == text


def test_what_one_that_was_killed_has_left_is_removed(tmp_path: Path) -> None:
    (tmp_path / "up.json").write_text(json.dumps({"deployments": {}}))
    with held_state(tmp_path) as folder:
        assert not (folder / "up.json").exists()
        with pytest.raises(UsageError, match="is running in"), held_state(tmp_path):
            pass


def test_the_state_of_another_version_is_told(tmp_path: Path) -> None:
    with held_state(tmp_path):
        (tmp_path / "up.json").write_text(json.dumps({"deployments": {}, "of": "tomorrow"}))
        with pytest.raises(UsageError, match="of another version of bakeoff"):
            read_state(tmp_path, starting_within_s=1)
