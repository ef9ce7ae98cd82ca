"""Temporary folders live as long as their owner, and are swept after a SIGKILL."""

from __future__ import annotations

import contextlib
import itertools
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bakeoff.processes import scratch_folder, sweep
from tests.processes.scripts import python
from tests.processes.traces import until

_OWNER = """
import sys, time
from pathlib import Path
from bakeoff.processes import scratch_folder
with scratch_folder("test", Path(sys.argv[1])) as folder:
    (folder / "data").write_text("x")
    Path(sys.argv[2]).write_text(str(folder))
    time.sleep(600)
"""


def test_it_is_there_and_then_nothing_is_left(tmp_path: Path) -> None:
    with scratch_folder("test", tmp_path) as folder:
        (folder / "deep").mkdir()
        (folder / "deep" / "file").write_text("x")
        assert folder.parent == tmp_path

    assert list(tmp_path.iterdir()) == []


def test_it_goes_after_an_error_too(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), scratch_folder("test", tmp_path):
        raise ZeroDivisionError

    assert list(tmp_path.iterdir()) == []


def test_a_living_owner_keeps_its_folder_and_a_killed_one_loses_it(tmp_path: Path) -> None:
    place, note = tmp_path / "place", tmp_path / "note"
    place.mkdir()
    owner = subprocess.Popen(python(_OWNER, place, note))
    try:
        until(lambda: note.exists() and note.read_text() != "", "the owner has its folder")
        folder = Path(note.read_text())

        assert sweep(place) == []
        with scratch_folder("test", place):
            assert (folder / "data").exists()
    finally:
        owner.kill()
        owner.wait()

    assert (folder / "data").exists()
    with scratch_folder("test", place) as mine:
        assert not folder.exists()
        assert mine.exists()
    assert list(place.iterdir()) == []


def test_what_others_keep_beside_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "bakeoff-results").mkdir()
    (tmp_path / "bakeoff-notes.lock").write_text("mine")

    assert sweep(tmp_path) == []
    assert sorted(file.name for file in tmp_path.iterdir()) == ["bakeoff-notes.lock", "bakeoff-results"]


def test_a_folder_that_a_thread_still_writes_into_is_removed_all_the_same(tmp_path: Path) -> None:
    """A step in-process whose run was broken off may open its database once more."""
    over = threading.Event()

    def write(folder: Path) -> None:
        for number in itertools.count():
            with contextlib.suppress(FileNotFoundError):
                (folder / str(number)).touch()
            if over.is_set():
                return

    with ThreadPoolExecutor() as pool:
        with scratch_folder("test", tmp_path) as folder:
            pool.submit(write, folder)
            until((folder / "500").exists, "it writes")
            threading.Timer(0.3, over.set).start()

        assert list(tmp_path.iterdir()) == []
