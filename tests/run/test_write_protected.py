"""Runs that lie where nothing may be written: an archive, a mounted artefact of CI, a colleague's folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bakeoff.cli.main import run
from tests.ordinary_rights import bakeoff_with_ordinary_rights, write_protect


@pytest.fixture(scope="module")
def protected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("run") / "kept"
    kept = ["--engine", "inline", "--count", "5", "--rounds", "1", "--out", str(folder)]
    assert run(["run", "--only", "sagas", *kept]) == 0
    write_protect(folder)
    yield folder
    for one in (folder, *folder.rglob("*")):
        one.chmod(one.stat().st_mode | 0o200)
    shutil.rmtree(folder)


def test_it_is_judged_again(protected: Path) -> None:
    done = bakeoff_with_ordinary_rights("check", protected)

    assert (done.returncode, done.stderr) == (0, "")
    assert "verdict: valid" in done.stdout


def test_a_page_is_made_of_it_elsewhere(protected: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    done = bakeoff_with_ordinary_rights("report", protected, "-o", page)

    assert done.returncode == 0, done.stderr
    assert "order-123" in page.read_text()


def test_its_traces_are_shown(protected: Path) -> None:
    done = bakeoff_with_ordinary_rights("trace", protected, "order-123")

    assert done.returncode == 0, done.stderr
    assert "send_confirmation" in done.stdout


def test_damage_is_told_with_the_place_that_one_knows(protected: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(protected, tmp_path / "copy")
    ledger = folder / "inline" / "world.db"
    ledger.chmod(0o600)
    ledger.write_bytes(b"nothing of a database" * 100)
    write_protect(folder)
    done = bakeoff_with_ordinary_rights("check", folder)
    folder.chmod(0o700)
    (folder / "inline").chmod(0o700)

    assert done.returncode == 2
    assert (str(ledger) in done.stderr, len(done.stderr.splitlines())) == (True, 1)
