"""The user's mistakes with ``bakeoff tune``: one line, exit code 2, nothing left."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.conftest import Refused


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("tune --engine temporall", r"'temporall' is not installed"),
        ("tune -e inline", r"--engine inline: nothing to try; its knobs that are not fixed: none"),
        (
            "tune -e dramatiq --knob prefech",
            r"nothing to try; its knobs that are not fixed: .*queue_prefetch",
        ),
        ("tune -e dramatiq -e celery --knob queue_prefetch", r"--engine celery: nothing to try"),
        ("tune -e dramatiq --set dramatiq.prefech=3", r"unknown setting dramatiq\.prefech"),
        ("tune -e dramatiq --set celery.broker=valkey", r"celery is not in use here"),
        ("tune --knob prefech", r"--knob prefech: no engine asked for has it; known: .*queue_prefetch"),
        ("tune -e dramatiq --slots 3 --set dramatiq.processes=2", r"does not divide the 3 slots"),
        ("tune -e dramatiq --scenario nothing", r"'nothing'.*known: order-steady"),
        ("tune -e dramatiq --duration 1", r"--duration 1: from 2 to 3600 seconds"),
        ("tune -e dramatiq --duration nan", r"--duration nan: from 2 to 3600 seconds"),
        ("tune -e dramatiq --worth 5", r"--worth 5: a share from 0 to 1"),
        ("tune -e dramatiq --rounds 1", r"Invalid value for '--rounds'"),
        ("tune -e dramatiq -o nowhere/found.toml", r"-o nowhere/found\.toml: cannot be written"),
        ("tune -e dramatiq --cpus 4096", r"--cpus 4096"),
    ],
)
def test_one_line_says_what_is_wrong(refused: Refused, line: str, reason: str) -> None:
    message = refused(line)

    assert re.search(reason, message), message


@pytest.mark.parametrize("verb", ["load", "run", "crash", "up", "ordeal parked"])
def test_tuned_values_that_nobody_searched(refused: Refused, home: Path, verb: str) -> None:
    line = f"{verb} --engine celery --config tuned"

    assert re.search(r"there is no bakeoff-tuned\.toml; `bakeoff tune` searches", refused(line))
    (home / "bakeoff-tuned.toml").write_text("format = 1\n[settings.dramatiq]\nprocesses = 2\n")
    assert re.search(r"bakeoff-tuned\.toml says nothing about celery", refused(line))


def test_a_folder_that_is_in_use_is_not_touched(refused: Refused, home: Path) -> None:
    (home / "mine" / "dramatiq" / "01-processes").mkdir(parents=True)
    (home / "mine" / "dramatiq" / "01-processes" / "loads.jsonl").write_text("")

    assert "it exists already and is not empty" in refused("tune -e dramatiq --out mine")
    assert (home / "mine" / "dramatiq" / "01-processes" / "loads.jsonl").exists()
