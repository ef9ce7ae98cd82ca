"""The command line that contract results keep: what makes them again, without what is secret in it."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from bakeoff.contract.command import command_of

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("--set temporal.api_key=hunter2", "--set 'temporal.api_key=***'"),
        ("--set=mine.pin=1234", "'--set=mine.pin=***'"),
        (
            "--set celery.broker_url=amqp://me:hunter2@host:5672/",
            "--set 'celery.broker_url=amqp://***@host:5672/'",
        ),
        ("--set-raw celery.broker_password=hunter2", "--set-raw 'celery.broker_password=***'"),
        (
            "--engine=celery -k 'a or b' --config recommended",
            "--engine=celery -k 'a or b' --config recommended",
        ),
    ],
)
def test_it_is_the_line_without_its_secrets(given: str, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)

    assert command_of(shlex.split(given), {"mine.pin"}) == f"pytest {shown}"


def test_what_the_environment_adds_to_every_call_is_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "--engine=inline --set-raw inline.token=hunter2")

    assert command_of(["-q"], ()) == "pytest --engine=inline --set-raw 'inline.token=***' -q"


@pytest.mark.service
def test_contract_results_keep_the_command_that_made_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    file = tmp_path / "contract.json"
    line = [
        "--engine=inline",
        "-p",
        "no:cacheprovider",
        "--config",
        "recommended",
        "-k",
        "all_steps_act_once",
    ]
    line += ["--contract-json", str(file)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *line], cwd=ROOT, capture_output=True, text=True, timeout=100
    )

    assert done.returncode == 0, done.stdout
    found = json.loads(file.read_text())
    assert shlex.split(found["command"]) == ["pytest", *line]
    assert found["created_at"][:2] == "20"
    assert found["machine"]["cpus"] > 0
