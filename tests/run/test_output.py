"""Files that commands write: refused before the work, and whole or not there after it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from bakeoff.errors import UsageError
from bakeoff_bench.run.output import check_file, check_several, write_file, write_json
from tests.ordinary_rights import bakeoff_with_ordinary_rights


def test_a_look_leaves_nothing_and_changes_nothing(tmp_path: Path) -> None:
    old = tmp_path / "old.json"
    old.write_text("kept")
    (tmp_path / "link.json").symlink_to(tmp_path / "nowhere.json")
    for name in ("old.json", "new.json", "link.json"):
        check_file("--json", tmp_path / name)

    assert sorted(one.name for one in tmp_path.iterdir()) == ["link.json", "old.json"]
    assert (old.read_text(), (tmp_path / "link.json").is_symlink()) == ("kept", True)


def test_what_cannot_be_written_is_told_with_its_option(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for name, reason in (("folder", "that is a folder"), ("no/x.json", "there is no folder")):
        with pytest.raises(UsageError, match=f"--report .*{name}.*{reason}"):
            check_file("--report", tmp_path / name)


def test_a_folder_that_one_may_not_write_into_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    done = bakeoff_with_ordinary_rights("run", "--engine", "inline", "--json", tmp_path / "x.json")
    tmp_path.chmod(0o700)

    assert done.returncode == 2
    assert (str(tmp_path) in done.stderr, "cannot be written" in done.stderr) == (True, True)
    assert not list(tmp_path.iterdir())


def test_what_is_read_is_not_replaced(tmp_path: Path) -> None:
    for name in ("manifest.json", "report.html"):
        (tmp_path / name).touch()
    with pytest.raises(UsageError, match="that is read here"):
        check_file("--json", tmp_path / "manifest.json", reads=[tmp_path])
    with pytest.raises(UsageError, match="that is read here"):
        check_file("-o", tmp_path / "report.html", reads=[tmp_path / "report.html"])

    check_file("-o", tmp_path / "report.html", reads=[tmp_path])
    check_file("--json", tmp_path / "new.json", reads=[tmp_path])


def test_one_file_is_not_for_two_things(tmp_path: Path) -> None:
    check_several({"--json": tmp_path / "a", "--report": None, "--plot": tmp_path / "b"})
    with pytest.raises(UsageError, match=r"--report .*: --json goes there, too"):
        check_several({"--json": tmp_path / "a", "--report": tmp_path / "." / "a"})


def test_it_is_put_there_whole_with_the_usual_rights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    file = tmp_path / "x.json"
    write_json(file, {"a": 1})
    before = file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o666 & ~_umask()

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        write_file(file, "other")
    assert file.read_text() == before
    assert [one.name for one in tmp_path.iterdir()] == ["x.json"]


def test_a_link_stays_one_and_a_pipe_is_written_to(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "file")
    write_file(tmp_path / "link", "one\n")
    write_file(Path(os.devnull), "two\n")

    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text() == "one\n"


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
