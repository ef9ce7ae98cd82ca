"""Standard streams that are closed, and letters that nothing takes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bakeoff.cli.main import run

_BAKEOFF = f"{sys.executable} -m bakeoff"


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_nothing_fails_for_a_stream_that_is_closed(closed: str, tmp_path: Path) -> None:
    done = subprocess.run(["/bin/sh", "-c", f"{_BAKEOFF} scenarios {closed}"], cwd=tmp_path, timeout=60)

    assert done.returncode == 0


def test_an_argument_that_is_no_utf8_is_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["run", "--out", "caf\udce9"]) == 2

    told = capfd.readouterr().err
    assert "is no valid UTF-8" in told
    assert told.count("\n") == 1


def test_a_place_that_cannot_be_used_is_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    for line in (f"check {'x' * 300}", f"run --engine inline --out {'x' * 300}"):
        assert run(line.split()) == 2

        told = capfd.readouterr().err
        assert "File name too long" in told
        assert told.count("\n") == 1


def test_questions_without_answers_are_one_line(tmp_path: Path) -> None:
    line = [sys.executable, "-m", "bakeoff", "decide", "new.toml", "--init"]
    done = subprocess.run(
        line, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )

    assert done.returncode == 2
    assert "standard input has no answers" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "line",
    [
        "crash --deadline nan",
        "sweep celery-redelivery --deadline inf",
        "ordeal backlog --engine celery --deadline nan",
        "stuck --older-than nan",
        "result order-1 --timeout inf",
        "load -e inline --rate 10000 --duration 1e12",
        "load -e inline --closed 8 --duration 1e9",
    ],
)
def test_a_number_that_is_none_is_one_line(line: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(line.split()) == 2

    told = capfd.readouterr().err
    assert "Traceback" not in told
    assert told.count("\n") == 1


def test_a_folder_may_be_called_anything(tmp_path: Path) -> None:
    """Also what means something in the URL of a database."""
    for name in ("why?", "feature%2Fx", "été #1"):
        out = tmp_path / name
        line = [
            "run",
            "--only",
            "sagas",
            "--engine",
            "inline",
            "--count",
            "5",
            "--rounds",
            "1",
            "--no-report",
        ]
        assert run([*line, "--no-report", "--out", str(out)]) == 0
        assert (out / "inline" / "world.db").exists()
        assert run(["check", str(out)]) == 0
    assert sorted(one.name for one in tmp_path.iterdir()) == sorted(("why?", "feature%2Fx", "été #1"))
